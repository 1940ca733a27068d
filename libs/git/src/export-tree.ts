import { lstat, readdir, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { isObjectId } from './commit-id.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git } from './git.ts';
import { ScratchRepository } from './scratch-repository.ts';
import { oneSafeLine } from './text-for-people.ts';

/** Half a million files on a slow disk. */
const DEFAULT_TIME_LIMIT_MS = 600_000;

export interface ExportOptions {
  /** The repository that has the tree. */
  readonly gitDir: string;
  /** Full id of a commit or tree. */
  readonly treeish: string;
  /** Absolute path of an existing, empty directory. */
  readonly directory: string;
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal | undefined;
}

async function requireEmptyDirectory(directory: string): Promise<GitResult<string>> {
  if (!isAbsolute(directory)) return failed('invalid_directory', `${directory} is not an absolute path`);
  try {
    if (!(await lstat(directory)).isDirectory()) return failed('invalid_directory', `${directory} is not a directory`);
    if ((await readdir(directory)).length > 0) return failed('invalid_directory', `${directory} is not empty`);
    return done(await realpath(directory));
  } catch (error) {
    return failed('invalid_directory', `${directory} cannot be used: ${error instanceof Error ? error.message : ''}`);
  }
}

/**
 * Writes the files of a commit or tree into an empty directory, as a checkout would, without history and without `.git`.
 * Line endings follow the tree's attributes. Filters do not run (files of Git LFS stay pointers), submodules become empty
 * directories, and paths that lead into `.git` or out of the directory are refused with `invalid_path`.
 */
export async function exportTree(git: Git, options: ExportOptions): Promise<GitResult<void>> {
  const { treeish, gitDir, signal, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = options;
  if (!isObjectId(treeish)) {
    return failed('invalid_commit_id', `"${oneSafeLine(treeish, 80)}" is not a full object id`);
  }
  const target = await requireEmptyDirectory(options.directory);
  if (!target.ok) return target;
  const scratch = await ScratchRepository.beside(git, { gitDir });
  if (!scratch.ok) return scratch;
  try {
    const context = { ...scratch.value.at({ workTree: target.value, timeLimitMs, signal }), directory: target.value };
    const read = await git.run({ command: 'read-tree', operands: [treeish] }, context);
    if (!read.ok) return read;
    const written = await git.run({ command: 'checkout-index', flags: ['--all', '--quiet'] }, context);
    return written.ok ? done(undefined) : written;
  } finally {
    await scratch.value.close();
  }
}
