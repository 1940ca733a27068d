/**
 * What can go wrong with git, by name. A closed list, so that callers can be complete:
 * anything git says that we do not recognise is `git_failed`, never a guess.
 */
export const GIT_ERROR_MEANINGS = {
  invalid_ref: 'the ref name is not one this system accepts',
  invalid_commit_id: 'not a full lower-case commit id',
  invalid_url: 'the clone URL is not one this system accepts',
  invalid_path: 'the path cannot be written as bytes, or leaves the repository',
  invalid_directory: 'the directory is missing, not absolute, or not empty',
  invalid_submodule: 'a submodule is declared in a way that is not accepted, or not declared at all',
  host_refused: 'the host is not one that sources may come from',
  lfs_unavailable: 'a file of Git LFS is not to be had, or is not what its pointer says',
  address_refused: 'the host has an address that the address policy refuses',
  protocol_refused: 'the protocol is not on the allow-list',
  git_not_found: 'no git program on PATH',
  git_too_old: 'the installed git lacks something that is needed',
  git_timed_out: 'git did not finish within its time limit',
  git_canceled: 'the caller gave up waiting',
  output_too_large: 'git wrote more than the caller is ready to take',
  repository_unreachable: 'the remote did not answer, or the connection broke',
  repository_not_found: 'the remote answered that there is no such repository',
  access_denied: 'the remote wants credentials, or refuses those it got',
  redirect_refused: 'the remote answered with a redirect, which is never followed',
  repository_too_large: 'the repository is larger than the cache may hold',
  repository_corrupt: 'objects are missing or damaged',
  hostile_objects: 'the remote sent objects that fail their check',
  not_a_repository: 'no git repository there',
  bare_repository: 'the repository has no working tree',
  unsafe_repository_owner: 'the repository belongs to another user',
  no_commits: 'the repository has no commit yet',
  ref_not_found: 'the repository has no such ref',
  commit_not_found: 'the repository has no such commit',
  object_not_found: 'the repository has no such object',
  no_merge_base: 'the two commits share no history here',
  too_many_entries: 'more entries than the caller is ready to take',
  worktree_too_large: 'more uncommitted files or bytes than a snapshot may take',
  lock_timed_out: 'another process kept the mirror locked for too long',
  disk_full: 'no space left on the device',
  unexpected_output: 'git wrote something this version of the code does not understand',
  git_failed: 'git failed for a reason that has no name here',
} as const;

export type GitErrorCode = keyof typeof GIT_ERROR_MEANINGS;

/** A refusal as a value. `message` is one or a few sentences for people, free of credentials and control characters. */
export interface GitError {
  readonly code: GitErrorCode;
  readonly message: string;
  /** What git wrote to its error stream: trimmed, masked, at most 4,000 characters. Absent when git was not run. */
  readonly stderr?: string;
}

export type GitResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: GitError };

export function done<T>(value: T): GitResult<T> {
  return { ok: true, value };
}

export function failed(code: GitErrorCode, message: string, stderr?: string): { ok: false; error: GitError } {
  return { ok: false, error: stderr === undefined ? { code, message } : { code, message, stderr } };
}
