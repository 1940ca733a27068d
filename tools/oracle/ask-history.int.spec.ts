import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Git, openHistory, type RepositoryReader } from '@delta-ci/git';
import { askHistory, valueOf } from './ask-history.ts';
import { rootOf } from './comparison/answer.ts';
import { UnreadableAnswer, type Oracle } from './oracles/oracle.ts';
import { SandboxedClone, withSandboxPlace } from './sandboxed-clone.ts';

/** Real git, real plans and real sandboxes; the tool that is asked is a few lines of shell. */

type Files = Readonly<Record<string, string>>;
const unit = (name: string, dependencies: Files = {}): string =>
  JSON.stringify({ name: `@all/${name}`, scripts: { test: 'node --test' }, dependencies });

const HISTORY: readonly Files[] = [
  {
    'package.json': JSON.stringify({ private: true, workspaces: ['packages/*'] }),
    'packages/money/package.json': unit('money'),
    'packages/cart/package.json': unit('cart', { '@all/money': '*' }),
  },
  { 'packages/money/index.js': 'export const cents = 1;\n' },
  { 'packages/money/README.md': 'Money.\n' },
  { 'packages/cart/index.js': 'export const cart = [];\n' },
];

let directory = '';
let reader: RepositoryReader;
let head = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-oracle-'));
  const cwd = join(directory, 'shop.git');
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_GLOBAL: devNull, GIT_CONFIG_NOSYSTEM: '1' };
  execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', cwd], { env });
  execFileSync('git', ['fast-import', '--quiet'], { cwd, env, input: HISTORY.map(imported).join('') });
  reader = valueOf(await openHistory(new Git({ environment: process.env }), cwd));
  head = valueOf(await reader.resolveRef('HEAD'));
});
afterAll(async () => {
  await reader.close();
  await rm(directory, { recursive: true, force: true });
});

function imported(files: Files, at: number): string {
  const line = ([path, text]: [string, string]): string =>
    `M 644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  const commit = `commit refs/heads/main\ncommitter Test <test@example.test> ${1_700_000_000 + at} +0000\ndata 1\n${at}\n`;
  return `${commit}${Object.entries(files).map(line).join('')}`;
}

/** Lists the folders that hold something that changed, each a line. */
const folders: Oracle = {
  name: 'folders',
  asks: 'git',
  program: 'cargo',
  lacks: (paths) => (paths.includes('package.json') ? null : 'no package.json'),
  script: () =>
    'git diff --name-only "$BASE" "$COMMIT" | sed "s|/[^/]*$||" | sort -u; test -f packages/cart/package.json\n',
  comparesAnswers: false,
  read: (output) => {
    const affected = output.trim().split('\n').map(rootOf);
    return { units: ['packages/money', 'packages/cart'], affected, edges: [], unknown: 0 };
  },
};

/** What comes of asking an oracle about the whole history. */
async function asked(oracle: Oracle) {
  return withSandboxPlace(join(directory, 'cache'), async (place) => {
    const { signal } = new AbortController();
    const opened = await SandboxedClone.open(place, reader.gitDir, { binds: [], env: {} }, signal);
    if (!opened.ok) throw new Error(opened.reason);
    try {
      return await askHistory({ reader, head, last: 10, oracle, clone: opened.clone }, signal, () => {});
    } finally {
      await opened.clone.close();
    }
  });
}

const usable = await (async () => {
  const cache = await mkdtemp(join(tmpdir(), 'delta-oracle-probe-'));
  try {
    return await withSandboxPlace(cache, async ({ executor }) => (await executor.probe()).usable);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
})();

(usable ? describe : describe.skip)('a history that an oracle is asked about', () => {
  it('is compared commit by commit, with what the tool says of each as it was checked out', async () => {
    const tally = await asked(folders);
    expect(tally).toMatchObject({ commits: 3, compared: 3, both: 2, unexplained: 0 });
    expect(tally.oursOnly).toEqual({ ownership: 1 });
    expect(tally.theirsOnly).toMatchObject({ 'documentation only': { count: 1, first: { unit: 'packages/money' } } });
  });

  it('goes on where the tool fails, says nothing that is understood, or has nothing to be asked about', async () => {
    const broken = await asked({ ...folders, script: () => 'echo "error: no such thing" >&2; exit 7\n' });
    expect(broken).toMatchObject({ commits: 3, compared: 0, left: { 'not answered: error: no such thing': 3 } });
    const strange = await asked({
      ...folders,
      read: () => {
        throw new UnreadableAnswer('folders', 'it sang');
      },
    });
    expect(Object.keys(strange.left)).toEqual([
      'not answered: folders answered in a way that is not understood: it sang',
    ]);
    const absent = await asked({ ...folders, lacks: () => 'no such file' });
    expect(absent.left).toEqual({ 'not answered: no such file': 3 });
  });

  it('hands the answer about the commit before to an oracle that compares', async () => {
    const seen: (string | null)[] = [];
    await asked({
      ...folders,
      comparesAnswers: true,
      script: () => 'git rev-list --count "$COMMIT"\n',
      read: (output, before) => {
        seen.push(before, output);
        return { units: [], affected: [], edges: [], unknown: 0 };
      },
    });
    expect(seen).toEqual(['1\n', '2\n', '2\n', '3\n', '3\n', '4\n']);
  });

  it('has no network, and no files but the clone and what it is shown', async () => {
    const seen = new Set<string>();
    await asked({
      ...folders,
      script: () =>
        `test -e '${directory}' || echo nothing there; grep : /proc/net/dev | sed 's/:.*//'; ls /workspace\n`,
      read: (output) => {
        seen.add(output.replaceAll(/ +/gu, ''));
        return { units: [], affected: [], edges: [], unknown: 0 };
      },
    });
    expect([...seen]).toEqual(['nothingthere\nlo\nanswer.txt\nrepo\nsaid.txt\n']);
  });
});
