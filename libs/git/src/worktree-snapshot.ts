import { copyFile, lstat, open, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import type { ConfigSetting } from './hygiene.ts';
import { readNulRecords } from './nul-records.ts';
import { decodePath } from './path-bytes.ts';
import { RepositoryReader } from './repository-reader.ts';
import { ScratchRepository } from './scratch-repository.ts';
import { hasErrorCode } from './system-error.ts';

const GIB = 1_024 ** 3;

/** More uncommitted files than this are a forgotten ignore rule (`node_modules`, a cache), not work in progress. */
const DEFAULT_MAX_FILES = 50_000;
const DEFAULT_MAX_BYTES = 2 * GIB;

/** Comparing half a million files with the index, on a slow disk. */
const DEFAULT_TIME_LIMIT_MS = 300_000;

const SLASH = 0x2f;
const NUL = Buffer.from([0]);

/**
 * Settings of the user's that decide what a file's content or mode is; all others are left behind, so nothing of the
 * user's configuration can start a program here.
 */
const CARRIED_SETTINGS = [
  'autocrlf',
  'checkstat',
  'eol',
  'filemode',
  'ignorecase',
  'precomposeunicode',
  'symlinks',
  'trustctime',
];

export interface SnapshotOptions {
  /** Refuse with `worktree_too_large` beyond this many uncommitted files, or bytes in them. */
  readonly maxFiles?: number;
  readonly maxBytes?: number;
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WorktreePlace {
  /** Top directory of the working tree. */
  readonly root: string;
  readonly gitDir: string;
}

/**
 * The state of a working tree as one tree: what is committed, staged, changed and new, without what is ignored.
 * The user's repository was only read; new objects lie in a temporary directory until `close`.
 */
export interface WorktreeSnapshot {
  readonly treeId: string;
  /** Reads the snapshot and everything of the repository it was taken of; its `gitDir` serves `exportTree`. */
  readonly reader: RepositoryReader;
  /** Directories left out because they are repositories of their own and no submodules. */
  readonly nestedRepositories: readonly string[];
  readonly close: () => Promise<void>;
}

interface Uncommitted {
  readonly paths: readonly Buffer[];
  readonly nested: readonly string[];
}

/** The user's settings that are carried over, and where the user keeps ignore rules. */
async function carriedSettings(git: Git, place: WorktreePlace): Promise<GitResult<ConfigSetting[]>> {
  const asUser: GitContext = { gitDir: place.gitDir, configuration: 'users', answers: [0, 1] };
  const pattern = String.raw`^core\.(${CARRIED_SETTINGS.join('|')})$`;
  const found = await git.run({ command: 'config', flags: ['--null', '--get-regexp', pattern] }, asUser);
  if (!found.ok) return found;
  const settings: ConfigSetting[] = [];
  for (const record of found.value.stdout.toString('utf8').split('\0')) {
    const [name = '', value = 'true'] = record.split('\n');
    if (name !== '') settings.push([name, value]);
  }
  const excludes = await git.run(
    { command: 'config', flags: ['--null', '--type=path', '--get', 'core.excludesFile'] },
    asUser,
  );
  if (!excludes.ok) return excludes;
  const named = excludes.value.stdout.toString('utf8').replace(/\0$/u, '');
  const usual = usualExcludesFile(git.environment);
  const file = named === '' ? usual : named;
  return done(file === undefined ? settings : [...settings, ['core.excludesFile', file]]);
}

function usualExcludesFile(environment: Git['environment']): string | undefined {
  const { XDG_CONFIG_HOME: configHome, HOME: home } = environment;
  if (configHome !== undefined && configHome !== '') return join(configHome, 'git', 'ignore');
  return home === undefined ? undefined : join(home, '.config', 'git', 'ignore');
}

/**
 * Copies the user's index, which knows the ids of all unchanged files. The copy keeps the original's modification time:
 * git takes a file for unchanged only when it is older than the index, and a younger copy would hide changes made in the
 * same second as the last `git add`.
 */
async function copyIndex(git: Git, place: WorktreePlace, scratch: ScratchRepository): Promise<GitResult<void>> {
  const located = await git.line({ command: 'rev-parse', flags: ['--git-path', 'index'] }, { gitDir: place.gitDir });
  if (!located.ok) return located;
  let original;
  try {
    original = await open(located.value, 'r');
  } catch {
    // Nothing was ever added: every file is new.
    return done(undefined);
  }
  try {
    const facts = await original.stat();
    await writeFile(scratch.indexFile, await original.readFile());
    const timeS = Math.floor(facts.mtimeMs / 1_000);
    await utimes(scratch.indexFile, timeS, timeS);
  } finally {
    await original.close();
  }
  const directory = dirname(located.value);
  for (const name of await readdir(directory)) {
    if (name.startsWith('sharedindex.')) await copyFile(join(directory, name), join(scratch.gitDir, name));
  }
  return done(undefined);
}

async function copyExcludes(git: Git, place: WorktreePlace, scratch: ScratchRepository): Promise<GitResult<void>> {
  const flags = ['--git-path', 'info/exclude'];
  const located = await git.line({ command: 'rev-parse', flags }, { gitDir: place.gitDir });
  if (!located.ok) return located;
  try {
    await copyFile(located.value, join(scratch.gitDir, 'info', 'exclude'));
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  return done(undefined);
}

/** Finds what differs from the index: changed and deleted files it knows, and files it does not know. */
async function findUncommitted(git: Git, context: GitContext, maxFiles: number): Promise<GitResult<Uncommitted>> {
  const paths: Buffer[] = [];
  const nested: string[] = [];
  const commands = [
    // Submodules are judged by their commit alone: looking into them would run git under their configuration.
    { command: 'diff-files', flags: ['--name-only', '-z', '--ignore-submodules=dirty'] },
    { command: 'ls-files', flags: ['--others', '--exclude-standard', '-z'] },
  ];
  for (const command of commands) {
    const read = await readNulRecords(git, command, { ...context, answers: [0, 1] }, (records) => {
      for (const record of records) {
        if (record.at(-1) === SLASH) nested.push(decodePath(record.subarray(0, -1)));
        // A copy: the record shares memory with what git wrote next to it.
        else paths.push(Buffer.from(record));
      }
      if (paths.length <= maxFiles) return 'more';
      const example = decodePath(paths.at(-1) ?? Buffer.alloc(0));
      return failed(
        'worktree_too_large',
        `more than ${maxFiles} files are uncommitted and not ignored, for example ${example}; is an ignore rule missing?`,
      );
    });
    if (!read.ok) return read;
  }
  return done({ paths, nested });
}

async function requireWithinBytes(root: string, paths: readonly Buffer[], maxBytes: number): Promise<GitResult<void>> {
  let totalBytes = 0;
  let largest = { path: '', bytes: -1 };
  for (const path of paths) {
    const bytes = await sizeOf(Buffer.concat([Buffer.from(`${root}/`), path]));
    totalBytes += bytes;
    if (bytes > largest.bytes) largest = { path: decodePath(path), bytes };
  }
  if (totalBytes <= maxBytes) return done(undefined);
  return failed(
    'worktree_too_large',
    `uncommitted files have ${totalBytes} bytes, more than ${maxBytes}; the largest is ${largest.path} (${largest.bytes})`,
  );
}

async function sizeOf(path: Buffer): Promise<number> {
  try {
    return (await lstat(path)).size;
  } catch {
    // Deleted: that is its change.
    return 0;
  }
}

async function writeTree(git: Git, context: GitContext, paths: readonly Buffer[]): Promise<GitResult<string>> {
  if (paths.length > 0) {
    const flags = ['--add', '--remove', '--replace', '-z', '--stdin'];
    const input = Buffer.concat(paths.flatMap((path) => [path, NUL]));
    const updated = await git.run({ command: 'update-index', flags }, { ...context, input });
    if (!updated.ok) return updated;
  }
  return git.line({ command: 'write-tree' }, context);
}

async function takeInto(
  git: Git,
  place: WorktreePlace,
  scratch: ScratchRepository,
  options: SnapshotOptions,
): Promise<GitResult<{ treeId: string; nested: readonly string[] }>> {
  const settings = await carriedSettings(git, place);
  if (!settings.ok) return settings;
  for (const copied of [await copyIndex(git, place, scratch), await copyExcludes(git, place, scratch)]) {
    if (!copied.ok) return copied;
  }
  const { signal, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = options;
  const at = scratch.at({ workTree: place.root, config: settings.value, timeLimitMs, signal });
  const context = { ...at, directory: place.root };
  const found = await findUncommitted(git, context, options.maxFiles ?? DEFAULT_MAX_FILES);
  if (!found.ok) return found;
  const within = await requireWithinBytes(place.root, found.value.paths, options.maxBytes ?? DEFAULT_MAX_BYTES);
  if (!within.ok) return within;
  const treeId = await writeTree(git, context, found.value.paths);
  return treeId.ok ? done({ treeId: treeId.value, nested: found.value.nested }) : treeId;
}

/**
 * Takes a snapshot of a working tree. Filters do not run: a changed file of Git LFS is taken with its content.
 * Conflicting files are taken as they lie there, markers included. Close it to remove its temporary directory.
 */
export async function snapshotWorktree(
  git: Git,
  place: WorktreePlace,
  options: SnapshotOptions = {},
): Promise<GitResult<WorktreeSnapshot>> {
  const made = await ScratchRepository.beside(git, place);
  if (!made.ok) return made;
  const scratch = made.value;
  let taken;
  try {
    taken = await takeInto(git, place, scratch, options);
  } catch (error) {
    await scratch.close();
    throw error;
  }
  if (!taken.ok) {
    await scratch.close();
    return taken;
  }
  const reader = new RepositoryReader(git, scratch.gitDir);
  const close = async (): Promise<void> => {
    await reader.close();
    await scratch.close();
  };
  return done({ treeId: taken.value.treeId, reader, nestedRepositories: taken.value.nested, close });
}
