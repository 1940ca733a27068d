import type { Digest, Plan } from '@delta-ci/contracts';
import type { GitError } from '@delta-ci/git';

/** What came of planning one run. */
export type PlanningOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      readonly digest: Digest;
      readonly sizeBytes: number;
      readonly inputsDigest: Digest | null;
    }
  | PlanningFailure;

export interface PlanningFailure {
  readonly kind: 'failed';
  readonly code: string;
  readonly message: string;
  /** Whether the same attempt may succeed a little later: a remote that does not answer, a lock that is held. */
  readonly passing: boolean;
  /** What planning looked at, kept; null when it failed before it had looked. */
  readonly inputsDigest: Digest | null;
}

/** The message may quote a stranger's file: bounded, and without halves of characters, which no report can carry. */
export function failure(
  code: string,
  message: string,
  { passing = false, inputsDigest = null }: Partial<Pick<PlanningFailure, 'passing' | 'inputsDigest'>> = {},
): PlanningFailure {
  return { kind: 'failed', code, message: message.slice(0, 10_000).toWellFormed(), passing, inputsDigest };
}

const PASSING: ReadonlySet<string> = new Set([
  'repository_unreachable',
  'lock_timed_out',
  'git_timed_out',
  'disk_full',
]);

/** What git refused, under git's own name for it. */
export function gitFailure({ code, message }: GitError): PlanningFailure {
  return failure(code, message, { passing: PASSING.has(code) });
}
