import type { GrantedLease, Plan } from '@delta-ci/contracts';

/** What an identity token says of the job it is for: all of it from the plan and the lease, none of it from the job. */
export interface IdTokenClaims extends Readonly<Record<string, string | number | boolean | null>> {
  readonly project_path: string;
  readonly repository: string;
  readonly ref: string;
  readonly ref_path: string;
  readonly ref_type: RefType;
  readonly ref_protected: boolean;
  readonly sha: string;
  readonly change: string;
  readonly pull_request: number | null;
  readonly run_id: string;
  readonly job: string;
  readonly attempt: number;
  readonly fence: number;
  readonly user_login: string;
}

export type RefType = 'branch' | 'tag' | 'other';

export function claimsOf(
  { repository, change, commit }: Pick<Plan, 'repository' | 'change' | 'commit'>,
  { runId, jobKey, attempt, fence }: GrantedLease,
  isProtected: boolean,
): IdTokenClaims {
  const { name, type } = refOf(change.ref);
  return {
    project_path: repository.fullName,
    repository: repository.id,
    ref: name,
    ref_path: change.ref,
    ref_type: type,
    ref_protected: isProtected,
    sha: commit,
    change: change.kind,
    pull_request: change.pullRequest,
    run_id: runId,
    job: jobKey,
    attempt,
    fence,
    user_login: change.author,
  };
}

/**
 * `repository:github/octo/widgets:ref_type:branch:ref:main`. By the repository's id, because two forges may each have an
 * `octo/widgets`. No part can be taken for another: ids of repositories and refs have no colon in them.
 */
export function subjectOf({ repository, ref_type: type, ref }: IdTokenClaims): string {
  return `repository:${repository}:ref_type:${type}:ref:${ref}`;
}

/** A ref that is neither a branch nor a tag keeps its whole name, so that it is never the name of a branch. */
function refOf(ref: string): { name: string; type: RefType } {
  if (ref.startsWith('refs/heads/')) return { name: ref.slice('refs/heads/'.length), type: 'branch' };
  if (ref.startsWith('refs/tags/')) return { name: ref.slice('refs/tags/'.length), type: 'tag' };
  return { name: ref, type: 'other' };
}
