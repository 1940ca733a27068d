import { spawnSync } from 'node:child_process';
import { devNull } from 'node:os';
import { largeWorkspace } from '../../../test/support/made-up/large-workspace.ts';

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_NOSYSTEM: '1',
};

export type Files = Readonly<Record<string, string>>;

/** Every so many commits a file comes, a manifest changes, or words do; in all others a source changes. */
const [NEW_FILE, MANIFEST, WORDS] = [5, 10, 7];

/** A workspace of npm with `packages` packages. */
export function madeWorkspace(packages: number): Files {
  return largeWorkspace({ manager: 'npm', count: packages, version: '1.0.0', alsoAtRoot: false });
}

/** A bare repository with that workspace, and `commits` changes of one file each after the first. */
export function makeHistory(directory: string, packages: number, commits: number): void {
  git(directory, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  const workspace = madeWorkspace(packages);
  const changes = Array.from({ length: commits }, (_, at) => changeOf(workspace, at, packages));
  const history = [workspace, ...changes].map((files, at) => commitOf(at, files));
  git(directory, ['fast-import', '--quiet'], history.join(''));
}

/** A bare repository with one commit of these files. */
export function commitFiles(directory: string, files: Files): { readonly commit: string; readonly tree: string } {
  git(directory, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  git(directory, ['fast-import', '--quiet'], commitOf(0, files));
  return { commit: git(directory, ['rev-parse', 'main']), tree: git(directory, ['rev-parse', 'main^{tree}']) };
}

/** The change of one commit: files that come, or take the place of others. */
export function changeOf(workspace: Files, at: number, packages: number): Files {
  const folder = `packages/p${(at * 37) % packages}`;
  if (at % MANIFEST === 0) {
    const path = `${folder}/package.json`;
    return { [path]: (workspace[path] ?? '').replace('node --test', `node --test --test-timeout=${at + 1}`) };
  }
  if (at % WORDS === 0) return { [`${folder}/README.md`]: `# Change ${at}\n` };
  return { [`${folder}/src/${at % NEW_FILE === 0 ? `new-${at}` : 'index'}.ts`]: `export const change = ${at};\n` };
}

function commitOf(at: number, files: Files): string {
  const puts = Object.entries(files).map(
    ([path, text]) => `M 644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  );
  const who = `Bench <bench@example.invalid> ${1_700_000_000 + at} +0000`;
  return `commit refs/heads/main\ncommitter ${who}\ndata 6\nchange\n${puts.join('')}`;
}

/** Runs git there, and answers what it says; failing is the measure's failure. */
export function git(cwd: string, args: readonly string[], input = ''): string {
  const ended = spawnSync('git', args, {
    cwd,
    env: ENVIRONMENT,
    input,
    maxBuffer: 1_024 ** 3,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (ended.status !== 0) throw new Error(`git ${args[0]} failed: ${ended.stderr.toString()}`);
  return ended.stdout.toString().trim();
}
