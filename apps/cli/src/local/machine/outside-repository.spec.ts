import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { recorded } from '../../recorded-surroundings.fixture.ts';
import { outsideRepository } from './outside-repository.ts';

describe('PATH of whoever looks at a repository', () => {
  let place = '';
  beforeEach(async () => {
    place = await realpath(await mkdtemp(join(tmpdir(), 'delta-outside-')));
    for (const path of ['shop/.git', 'shop/bin', 'shop/packages/cart', 'shop-tools/bin', 'linked'])
      await mkdir(join(place, path), { recursive: true });
    await symlink(join(place, 'shop/bin'), join(place, 'link-into'));
    await symlink(join(place, 'shop-tools/bin'), join(place, 'shop/out'));
    await writeFile(join(place, 'linked/.git'), 'gitdir: ../shop/.git/worktrees/linked\n');
  });
  afterEach(async () => rm(place, { recursive: true, force: true }));

  const pathIn = (directory: string, repo: string, ...dirs: readonly string[]): string[] | undefined =>
    outsideRepository(recorded(join(place, directory), { PATH: dirs.join(':') }).surroundings, repo).environment[
      'PATH'
    ]?.split(':');

  it('has no directory of the repository, by any name, and none that is relative', () => {
    const inside = [
      'shop',
      'shop/bin',
      'shop/node_modules/.bin/../../bin',
      'link-into',
      'shop/packages/cart/node_modules/.bin',
    ];
    const outside = ['shop-tools/bin', 'shop/out', 'not-there'].map((path) => join(place, path));
    const all = [...inside.map((path) => join(place, path)), '', '.', 'node_modules/.bin', ...outside, '/usr/bin'];
    for (const [directory, repo] of [
      ['shop', '.'],
      ['shop/packages/cart', '.'],
      ['', 'shop/packages'],
      ['linked', join(place, 'shop')],
    ] as const)
      expect(pathIn(directory, repo, ...all)).toEqual([...outside, '/usr/bin']);
  });

  it('given a working tree of a repository, then it is that tree that counts', () => {
    expect(pathIn('linked', '.', join(place, 'linked/bin'), join(place, 'shop/bin'))).toEqual([
      join(place, 'shop/bin'),
    ]);
  });

  it('given no repository, then it is as it was', () => {
    expect(pathIn('shop-tools', '.', 'relative', '/usr/bin')).toEqual(['relative', '/usr/bin']);
  });
});
