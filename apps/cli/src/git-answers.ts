import type { GitError, GitErrorCode, GitResult } from '@delta-ci/git';
import { EXIT, Problem } from './problem.ts';

/** What the person can put right; anything else is the machine's fault. */
const USAGE: ReadonlySet<GitErrorCode> = new Set<GitErrorCode>([
  'bare_repository',
  'commit_not_found',
  'invalid_commit_id',
  'invalid_directory',
  'invalid_ref',
  'invalid_submodule',
  'lfs_unavailable',
  'no_commits',
  'no_merge_base',
  'not_a_repository',
  'ref_not_found',
  'unsafe_repository_owner',
  'worktree_too_large',
]);

/** The value, or a problem in git's words. */
export function valueOf<T>(result: GitResult<T>): T {
  if (result.ok) return result.value;
  throw problemOf(result.error);
}

function problemOf({ code, message }: GitError): Problem {
  if (code === 'git_canceled') return new Problem('canceled', 'canceled', { exitCode: EXIT.canceled });
  return new Problem(code, message, { exitCode: USAGE.has(code) ? EXIT.usage : EXIT.notJudged });
}
