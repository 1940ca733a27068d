import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { GIT_ENV, git } from './bare-repository.ts';

/** What lies at a path: a file's content, or something that is no plain file. */
export type MadeEntry =
  | string
  | { readonly program: string }
  | { readonly link: string }
  | { readonly submodule: string }
  /** An object that is there already: a folder's tree with mode 040000, for instance. */
  | { readonly object: string; readonly mode: string };

/** Everything a commit holds, by path. */
export type MadeTree = Readonly<Record<string, MadeEntry>>;

/** `parents` are ids, or places in the list of commits: the first is what the commit follows, the others were merged. */
export interface MadeCommit {
  readonly tree: MadeTree;
  readonly parents?: readonly (number | string)[];
}

/**
 * Makes a bare repository whose commits can all be fetched by their ids, in one stream and without a working tree, so that
 * no file system has a say in what a commit may hold.
 */
export async function makeBareRepository(gitDir: string): Promise<void> {
  await git(tmpdir(), 'init', '--quiet', '--bare', '--initial-branch=main', gitDir);
  await git(gitDir, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
}

/** Adds commits and answers their ids, in the order given. Each has a branch of its own, `made/<number>`. */
export async function makeHistory(gitDir: string, commits: readonly MadeCommit[]): Promise<string[]> {
  const place = await mkdtemp(join(tmpdir(), 'delta-marks-'));
  try {
    const marks = join(place, 'marks');
    await feed(gitDir, ['fast-import', '--quiet', '--force', `--export-marks=${marks}`], historyText(commits));
    const lines = (await readFile(marks, 'utf8')).trim().split('\n');
    const ids = new Map(lines.map((line) => line.split(' ') as [string, string]));
    return commits.map((_, at) => ids.get(`:${at + 1}`) ?? '');
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Runs git in a repository with something on its standard input, and answers what it printed. */
export async function feed(gitDir: string, args: readonly string[], input: Iterable<string | Buffer>): Promise<string> {
  const child = spawn('git', args, { cwd: gitDir, env: GIT_ENV, stdio: ['pipe', 'pipe', 'pipe'] });
  const [said, complaint]: Buffer[][] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => said?.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => complaint?.push(chunk));
  const ended = once(child, 'close');
  const broken = finished(child.stdin).catch(() => undefined);
  for (const piece of inPieces(input)) {
    if (!child.stdin.write(piece)) await Promise.race([once(child.stdin, 'drain'), broken]);
  }
  child.stdin.end();
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`git ${args[0]}: ${Buffer.concat(complaint ?? []).toString('utf8')}`);
  return Buffer.concat(said ?? [])
    .toString('utf8')
    .trim();
}

const PIECE_BYTES = 256 * 1_024;

/** The same bytes in pieces that are worth a write each. */
function* inPieces(input: Iterable<string | Buffer>): Iterable<Buffer> {
  let pending: Buffer[] = [];
  let bytes = 0;
  for (const chunk of input) {
    const buffer = Buffer.from(chunk);
    pending.push(buffer);
    bytes += buffer.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(pending);
    [pending, bytes] = [[], 0];
  }
  yield Buffer.concat(pending);
}

function* historyText(commits: readonly MadeCommit[]): Iterable<string | Buffer> {
  let at = 0;
  for (const { tree, parents } of commits) {
    at += 1;
    yield `commit refs/heads/made/${at}\nmark :${at}\ncommitter Demo <demo@example.invalid> ${1_700_000_000 + at} +0000\n`;
    yield* counted(`commit ${at}`);
    const [first, ...merged] = parents ?? (at === 1 ? [] : [at - 2]);
    // Without one the branch, which may be there from before, would be what the commit follows.
    yield first === undefined ? '' : `from ${named(first)}\n`;
    for (const other of merged) yield `merge ${named(other)}\n`;
    yield 'deleteall\n';
    for (const [path, entry] of Object.entries(tree)) yield* entryText(path, entry);
    yield '\n';
  }
}

const named = (parent: number | string): string => (typeof parent === 'number' ? `:${parent + 1}` : parent);

function* entryText(path: string, entry: MadeEntry): Iterable<string | Buffer> {
  const quoted = quotedPath(path);
  if (typeof entry === 'string') {
    yield `M 100644 inline ${quoted}\n`;
    yield* counted(entry);
  } else if ('program' in entry) {
    yield `M 100755 inline ${quoted}\n`;
    yield* counted(entry.program);
  } else if ('link' in entry) {
    yield `M 120000 inline ${quoted}\n`;
    yield* counted(entry.link);
  } else if ('submodule' in entry) yield `M 160000 ${entry.submodule} ${quoted}\n`;
  else yield `M ${entry.mode} ${entry.object} ${quoted}\n`;
}

function* counted(text: string): Iterable<string | Buffer> {
  const bytes = Buffer.from(text);
  yield `data ${bytes.length}\n`;
  yield bytes;
  yield '\n';
}

function quotedPath(path: string): string {
  const escaped = [...Buffer.from(path)].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c
      ? `\\${byte.toString(8).padStart(3, '0')}`
      : String.fromCharCode(byte),
  );
  return `"${escaped.join('')}"`;
}
