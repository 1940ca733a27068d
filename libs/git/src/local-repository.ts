import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { findDefaultBase, findMainBranch, type BaseOptions, type DefaultBase } from './default-base.ts';
import { done, failed, type GitResult } from './git-error.ts';
import type { Git } from './git.ts';
import { RepositoryReader } from './repository-reader.ts';
import { snapshotWorktree, type SnapshotOptions, type WorktreeSnapshot } from './worktree-snapshot.ts';

/** A repository with a working tree on this machine, as its owner works in it. Only ever read. */
export class LocalRepository extends RepositoryReader {
  /** Top directory of the working tree. */
  readonly root: string;

  constructor(git: Git, root: string, gitDir: string) {
    super(git, gitDir);
    this.root = root;
  }

  /** What the checked-out commit is best compared with. `no_commits` when there is none. */
  defaultBase(options: BaseOptions): Promise<GitResult<DefaultBase>> {
    return findDefaultBase(this.git, this, options);
  }

  /** The full name of the branch that changes go into; null when that cannot be told. */
  mainBranch(): Promise<GitResult<string | null>> {
    return findMainBranch(this.git, this);
  }

  /** Where its history is, absolute: the same for all of its working trees. */
  commonDir(): Promise<GitResult<string>> {
    const command = { command: 'rev-parse', flags: ['--path-format=absolute', '--git-common-dir'] };
    return this.git.line(command, { gitDir: this.gitDir });
  }

  /** The working tree as one tree, uncommitted and new files included. The snapshot must be closed. */
  snapshot(options: SnapshotOptions = {}): Promise<GitResult<WorktreeSnapshot>> {
    return snapshotWorktree(this.git, this, options);
  }

  /** Where a remote is, as configured and unchecked: a clone URL for `parseCloneUrl`. Null when there is no such remote. */
  async remoteUrl(remote = 'origin'): Promise<GitResult<string | null>> {
    const command = { command: 'config', flags: ['--null', '--get', `remote.${remote}.url`] };
    const answer = await this.git.run(command, { gitDir: this.gitDir, answers: [0, 1] });
    if (!answer.ok) return answer;
    const url = answer.value.stdout.toString('utf8').replace(/\0$/u, '');
    return done(url === '' ? null : url);
  }
}

function explain(directory: string, error: { code: string; stderr?: string }): GitResult<never> | undefined {
  if (error.code === 'not_a_repository') {
    return failed(
      'not_a_repository',
      `no git repository at ${directory} or above it; run "git init" there, or name another directory`,
    );
  }
  if (error.code === 'bare_repository') {
    return failed(
      'bare_repository',
      `${directory} lies in a bare repository or in a .git directory; go to a working tree`,
    );
  }
  if (error.code === 'unsafe_repository_owner') {
    return failed(
      'unsafe_repository_owner',
      `the repository at ${directory} belongs to another user; if you trust it: git config --global --add safe.directory ${directory}`,
      error.stderr,
    );
  }
  return undefined;
}

/**
 * Opens the repository that a directory belongs to. Git itself judges whether its owner is to be trusted, with the user's own
 * exceptions (`safe.directory`). Errors: `not_a_repository`, `bare_repository`, `unsafe_repository_owner`, `git_too_old`...
 */
export async function openLocalRepository(git: Git, directory: string): Promise<GitResult<LocalRepository>> {
  const usable = await usableDirectory(git, directory);
  if (!usable.ok) return usable;
  const asUser = { directory, configuration: 'users' } as const;
  const root = await git.line({ command: 'rev-parse', flags: ['--show-toplevel'] }, asUser);
  if (!root.ok) return explain(directory, root.error) ?? root;
  const gitDir = await git.line({ command: 'rev-parse', flags: ['--absolute-git-dir'] }, asUser);
  if (!gitDir.ok) return gitDir;
  return done(new LocalRepository(git, root.value, gitDir.value));
}

/**
 * Opens the history of a repository, with or without a working tree: a directory within it, its `.git`, a bare one. Git
 * judges its owner as above. Must be closed. Errors: `not_a_repository`, `unsafe_repository_owner`, `git_too_old`...
 */
export async function openHistory(git: Git, directory: string): Promise<GitResult<RepositoryReader>> {
  const usable = await usableDirectory(git, directory);
  if (!usable.ok) return usable;
  const command = { command: 'rev-parse', flags: ['--absolute-git-dir'] };
  const gitDir = await git.line(command, { directory, configuration: 'users' });
  if (!gitDir.ok) return explain(directory, gitDir.error) ?? gitDir;
  return done(new RepositoryReader(git, gitDir.value));
}

async function usableDirectory(git: Git, directory: string): Promise<GitResult<unknown>> {
  if (!isAbsolute(directory)) return failed('invalid_directory', `${directory} is not an absolute path`);
  const facts = await stat(directory).catch(() => undefined);
  if (facts?.isDirectory() !== true) return failed('invalid_directory', `${directory} is not a directory`);
  return git.version();
}
