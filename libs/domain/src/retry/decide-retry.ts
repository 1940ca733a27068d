import { isShadow, type AttemptOutcome, type FailureClass, type JobPolicy } from '@delta-ci/contracts';

/** A finished attempt, as far as another one depends on it. */
export interface FinishedOutcome {
  readonly outcome: AttemptOutcome;
  readonly failureClass: FailureClass | null;
  /** It ran out of time while queued, not while running: waiting as long again helps nobody. */
  readonly expiredInQueue: boolean;
}

export interface BudgetsUsed {
  readonly retriesUsed: number;
  readonly lostRetriesUsed: number;
}

export type RetryDecision =
  | { readonly retry: true; readonly because: 'retryable-failure' | 'lost' | 'timeout' }
  | { readonly retry: false; readonly because: string };

/** Classes for which the same job on the same tree may well end differently. */
const RETRYABLE_CLASSES: readonly FailureClass[] = ['infrastructure', 'flaky'];

/**
 * Whether a job gets another attempt. Lost attempts and failures have budgets of their own. A shadow is tried again whatever it
 * failed of: what passes then was unstable, and no failure that was missed.
 */
export function decideRetry(finished: FinishedOutcome, policy: JobPolicy, used: BudgetsUsed): RetryDecision {
  switch (finished.outcome) {
    case 'succeeded':
      return { retry: false, because: 'it succeeded' };
    case 'canceled':
      return { retry: false, because: 'it was canceled' };
    case 'lost':
      return used.lostRetriesUsed < policy.lostRetries
        ? { retry: true, because: 'lost' }
        : { retry: false, because: `all ${policy.lostRetries} retries after a lost runner are used` };
    case 'timed_out':
      return decideTimeoutRetry(finished, policy, used);
    case 'failed':
      return decideFailureRetry(finished, policy, used);
  }
}

function decideTimeoutRetry(finished: FinishedOutcome, policy: JobPolicy, used: BudgetsUsed): RetryDecision {
  if (finished.expiredInQueue) return { retry: false, because: 'nobody took it in time' };
  if (!policy.retryTimeouts) return { retry: false, because: 'timeouts are not retried' };
  return withinRetries('timeout', policy, used);
}

function decideFailureRetry(finished: FinishedOutcome, policy: JobPolicy, used: BudgetsUsed): RetryDecision {
  const failureClass = finished.failureClass ?? 'unknown';
  if (!RETRYABLE_CLASSES.includes(failureClass) && !isShadow(policy)) {
    return { retry: false, because: `failures of class ${failureClass} are not retried` };
  }
  return withinRetries('retryable-failure', policy, used);
}

function withinRetries(because: 'retryable-failure' | 'timeout', policy: JobPolicy, used: BudgetsUsed): RetryDecision {
  if (used.retriesUsed < policy.retries) return { retry: true, because };
  return { retry: false, because: `all ${policy.retries} retries are used` };
}
