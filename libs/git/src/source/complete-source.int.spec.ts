import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { git } from '../../../../test/support/git-server/bare-repository.ts';
import { makeBareRepository, makeHistory, type MadeTree } from '../../../../test/support/git-server/made-history.ts';
import { writeObject, writeTree } from '../../../../test/support/git-server/made-objects.ts';
import type { GitResult } from '../git-error.ts';
import { Git } from '../git.ts';
import { completeSource, type SourceSupply, type WantedSubmodule } from './complete-source.ts';

const BY = new Git({ environment: { PATH: process.env['PATH'] } });
const NEVER = new AbortController().signal;
const LINK = { submodule: '1'.repeat(40) };

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-complete-'));
});
afterAll(async () => rm(place, { recursive: true, force: true }));

async function repository(tree: MadeTree): Promise<{ gitDir: string; commit: string }> {
  const gitDir = await mkdtemp(join(place, 'source-'));
  await makeBareRepository(gitDir);
  const [commit = ''] = await makeHistory(gitDir, [{ tree }]);
  return { gitDir, commit };
}

async function copyOf(gitDir: string): Promise<string> {
  const copy = await mkdtemp(join(place, 'copy-'));
  await git(place, 'clone', '--quiet', '--bare', gitDir, copy);
  return copy;
}

interface Completed {
  result: GitResult<void>;
  wanted: WantedSubmodule[];
}

/** @param origin what every submodule is a copy of; without one nothing is there when it is looked into */
async function completed(source: { gitDir: string; commit: string }, origin?: string): Promise<Completed> {
  const wanted: WantedSubmodule[] = [];
  const supply: SourceSupply<null> = {
    submodule: async (one, _heldBy, gitDir) => {
      wanted.push(one);
      if (origin !== undefined) await git(place, 'clone', '--quiet', '--bare', origin, gitDir);
      return { ok: true, value: null };
    },
    lfs: async () => Promise.resolve({ ok: true, value: undefined }),
  };
  const wishes = { submodules: 'recursive' } as const;
  return { result: await completeSource(BY, { ...source, repository: null }, wishes, supply, NEVER), wanted };
}

const declared = (path: string, name = path, url = '../lib.git'): string =>
  `[submodule "${name}"]\n\tpath = ${path}\n\turl = ${url}\n`;

describe('submodules of a hostile tree', () => {
  it.each<[string, MadeTree, RegExp]>([
    ['one that is not declared', { lib: LINK }, /^submodule lib: no \.gitmodules says/u],
    [
      'one declared at another path',
      { lib: LINK, '.gitmodules': declared('other') },
      /submodule lib: no \.gitmodules/u,
    ],
    ['a .gitmodules that is a link', { lib: LINK, '.gitmodules': { link: 'x' } }, /no ordinary file/u],
    ['a .gitmodules that git cannot read', { lib: LINK, '.gitmodules': '[submodule "lib\n' }, /cannot be read/u],
    [
      'a .gitmodules without end',
      { lib: LINK, '.gitmodules': `${declared('lib')}${'# more\n'.repeat(50_000)}` },
      /more than 262144 bytes/u,
    ],
    ['a name that leads out', { lib: LINK, '.gitmodules': declared('lib', '../../hooks') }, /has the name/u],
    ['two at one path', { lib: LINK, '.gitmodules': declared('lib', 'a') + declared('lib', 'b') }, /two submodules/u],
    ['a path like an option', { '-c': LINK, '.gitmodules': declared('-c') }, /begins with "-"/u],
    [
      'more than are fetched',
      Object.fromEntries([
        ...Array.from({ length: 101 }, (_, at) => [`lib${at}`, LINK]),
        ['.gitmodules', Array.from({ length: 101 }, (_, at) => declared(`lib${at}`)).join('')],
      ]),
      /more than 100 submodules/u,
    ],
  ])('given %s, then it is refused by name, before anything is fetched from there', async (_what, tree, words) => {
    const { result } = await completed(await repository(tree));
    expect(result).toMatchObject({ ok: false, error: { message: expect.stringMatching(words) } });
  });

  it('given a tree with paths that git itself never makes, then they are refused', async () => {
    const { gitDir } = await repository({});
    const inner = await writeTree(gitDir, [{ mode: '160000', id: LINK.submodule, name: 'hooks' }]);
    const file = await writeObject(gitDir, 'blob', declared('.git/hooks'));
    const tree = await writeTree(gitDir, [
      { mode: '40000', id: inner, name: '.git' },
      { mode: '100644', id: file, name: '.gitmodules' },
    ]);
    const commit = await git(gitDir, 'commit-tree', '-m', 'x', tree);
    const { result, wanted } = await completed({ gitDir, commit });
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid_submodule' } });
    expect(wanted).toEqual([]);
  });

  it('given submodules within submodules within submodules, then the depth ends it', async () => {
    const { gitDir, commit } = await repository({ 'end.txt': 'here\n' });
    const chain = [commit];
    for (let depth = 1; depth <= 6; depth += 1) {
      const tree = { lib: { submodule: chain.at(-1) ?? '' }, '.gitmodules': declared('lib') };
      const [next = ''] = await makeHistory(gitDir, [{ tree, parents: [chain.at(-1) ?? ''] }]);
      chain.push(next);
    }
    const five = await completed({ gitDir, commit: chain[5] ?? '' }, gitDir);
    expect([five.result.ok, five.wanted.at(-1)?.path]).toEqual([true, 'lib/lib/lib/lib/lib']);
    const six = await completed({ gitDir: await copyOf(gitDir), commit: chain[6] ?? '' }, gitDir);
    expect(six.result).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/deeper than 5, at lib/u) },
    });
  });

  it('given what is declared and not in the tree, or includes, then neither is looked at', async () => {
    const source = await repository({ '.gitmodules': `[include]\n\tpath = /etc/passwd\n${declared('gone')}` });
    const { result, wanted } = await completed(source);
    expect([result.ok, wanted]).toEqual([true, []]);
    expect(await readFile(join(source.gitDir, 'submodules'), 'utf8')).toBe('');
  });
});
