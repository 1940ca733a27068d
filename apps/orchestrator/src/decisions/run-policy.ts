import { DEFAULT_RUN_POLICY, type Change, type RunPolicy } from '@delta-ci/contracts';

/** Timings of this installation: what an operator may change for all runs. */
export type PolicyTimings = Pick<
  RunPolicy,
  | 'runTimeoutMs'
  | 'planningTimeoutMs'
  | 'queueTimeoutMs'
  | 'leaseTtlMs'
  | 'heartbeatMs'
  | 'leaseAcceptanceMs'
  | 'cancelDeadlineMs'
>;

/**
 * The policy a run starts with: defaults, then the installation's timings, then what is stored for the repository.
 * A newer head makes the older one of a pull request pointless, so those are superseded unless somebody says otherwise;
 * on branches every commit keeps its result.
 */
export function startingPolicy(change: Change, timings: PolicyTimings, stored: Partial<RunPolicy>): RunPolicy {
  const cancelSuperseded = change.kind === 'pull_request';
  return { ...DEFAULT_RUN_POLICY, cancelSuperseded, ...timings, ...defined(stored) };
}

function defined(stored: Partial<RunPolicy>): Partial<RunPolicy> {
  return Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));
}
