import { spawnSync } from 'node:child_process';
import { devNull } from 'node:os';

const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_CONFIG_NOSYSTEM: '1',
};

/** Every so many commits a file comes, a manifest changes, or words do; in all others a source changes. */
const [NEW_FILE, MANIFEST, WORDS] = [5, 10, 7];

/** A bare repository with a workspace of `packages` packages, and `commits` changes of one file each after the first. */
export function makeHistory(directory: string, packages: number, commits: number): void {
  git(directory, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  const first = [
    ['package.json', json({ name: 'all', private: true, workspaces: ['packages/*'] })],
    ...filesOf(packages),
  ];
  const changes = Array.from({ length: commits }, (_, at) => [changeAt(at, packages)]);
  const history = [first, ...changes].map((files, at) => commitOf(at, files));
  git(directory, ['fast-import', '--quiet'], history.join(''));
}

type File = readonly string[];

function filesOf(packages: number): File[] {
  return Array.from({ length: packages }, (_, at) => at).flatMap((at) => [
    [`packages/p${at}/package.json`, manifestOf(at, '1.0.0')],
    [`packages/p${at}/src/index.ts`, `export const at = ${at};\n`],
    [`packages/p${at}/README.md`, `# Package ${at}\n`],
  ]);
}

/** Packages in families of eight that build upon the first of them. */
function manifestOf(at: number, version: string): string {
  const first = at - (at % 8);
  const dependencies = first === at ? {} : { [`@all/p${first}`]: '*' };
  const scripts = { build: 'tsc', lint: 'eslint .', test: 'node --test', tested: version };
  return json({ name: `@all/p${at}`, version, scripts, dependencies });
}

function changeAt(at: number, packages: number): File {
  const folder = `packages/p${(at * 37) % packages}`;
  if (at % MANIFEST === 0) return [`${folder}/package.json`, manifestOf((at * 37) % packages, `1.0.${at + 1}`)];
  if (at % WORDS === 0) return [`${folder}/README.md`, `# Change ${at}\n`];
  return [`${folder}/src/${at % NEW_FILE === 0 ? `new-${at}` : 'index'}.ts`, `export const change = ${at};\n`];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function commitOf(at: number, files: readonly File[]): string {
  const puts = files.map(
    ([path = '', text = '']) => `M 644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  );
  const who = `Bench <bench@example.invalid> ${1_700_000_000 + at} +0000`;
  return `commit refs/heads/main\ncommitter ${who}\ndata 6\nchange\n${puts.join('')}`;
}

/** Runs git there; failing is the measure's failure. */
export function git(cwd: string, args: readonly string[], input = ''): void {
  const ended = spawnSync('git', args, {
    cwd,
    env: ENVIRONMENT,
    input,
    maxBuffer: 1_024 ** 3,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (ended.status !== 0) throw new Error(`git ${args[0]} failed: ${ended.stderr.toString()}`);
}
