import type { ConfigFileJob, JobPolicy } from '@delta-ci/contracts';
import { policyOfKind } from '../construction/job-decisions.ts';

/** How a configured job is governed: as its file says, and as any job where that says nothing. */
export function configuredPolicy({ policy }: ConfigFileJob): JobPolicy {
  const decided = policyOfKind('custom');
  const allowFailure = policy?.allow_failure ?? decided.allowFailure;
  return {
    ...decided,
    allowFailure,
    required: policy?.required ?? !allowFailure,
    retries: policy?.retries ?? decided.retries,
    retryTimeouts: policy?.retry_timeouts ?? decided.retryTimeouts,
    timeoutMs: policy?.timeout_seconds === undefined ? decided.timeoutMs : policy.timeout_seconds * 1_000,
    ...(policy?.idle_timeout_seconds === undefined ? {} : { idleTimeoutMs: policy.idle_timeout_seconds * 1_000 }),
    priority: policy?.priority ?? decided.priority,
  };
}
