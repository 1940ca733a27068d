import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { artifactDirectory } from './artifact-directory.ts';

describe('where artifacts of a local run are kept', () => {
  let place = '';
  beforeEach(async () => {
    place = await realpath(await mkdtemp(join(tmpdir(), 'delta-artifacts-')));
    for (const path of ['shop/empty', 'shop/full', 'elsewhere']) await mkdir(join(place, path), { recursive: true });
    await writeFile(join(place, 'shop/full/file'), '');
    await symlink('../elsewhere', join(place, 'shop/link'));
    await symlink('../not-there', join(place, 'shop/dangling'));
    await symlink(join(place, 'shop'), join(place, 'shop-by-link'));
    await symlink(join(place, 'elsewhere'), join(place, 'link-of-mine'));
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  const chosen = async (named: string): Promise<string> =>
    artifactDirectory(join(place, 'shop'), named, join(place, 'shop'));

  it.each(['empty', 'new/below', '../elsewhere', '../link-of-mine', '../shop-by-link/empty'])(
    'given %s, then it is there',
    async (named) => {
      expect(await chosen(named)).toBe(join(place, 'shop', named));
    },
  );

  it.each(['link', 'link/below', 'dangling', './empty/../link', '../shop-by-link/link'])(
    'given %s, which is for the repository to lead anywhere, then it is refused',
    async (named) => {
      await expect(chosen(named)).rejects.toMatchObject({ code: 'directory_linked' });
    },
  );

  it('given what has something in it, or is no directory, then it is refused', async () => {
    await expect(chosen('full')).rejects.toMatchObject({ code: 'directory_not_empty' });
    await expect(chosen('full/file')).rejects.toMatchObject({ code: 'directory_not_empty' });
  });
});
