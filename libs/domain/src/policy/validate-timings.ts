import type { RunPolicy } from '@delta-ci/contracts';

/** Durations that hold each other up. All in milliseconds. */
export interface Timings extends Pick<RunPolicy, 'leaseTtlMs' | 'heartbeatMs'> {
  /** How long a dispatch message stays invisible to others after it was taken, unless acknowledged. */
  readonly dispatchVisibilityMs: number;
  /** How late a heartbeat may be through no fault of the runner. */
  readonly heartbeatJitterMs: number;
}

export interface TimingProblem {
  readonly name: 'lease_ttl_within_three_heartbeats' | 'dispatch_visibility_under_lease_ttl';
  readonly message: string;
}

/** Two heartbeats may be lost on the way and a third be late before a healthy runner is taken for dead. */
const HEARTBEATS_PER_TTL = 3;

/** Every way in which these durations contradict each other; none is a configuration that may start. */
export function validateTimings(timings: Timings): TimingProblem[] {
  const problems: TimingProblem[] = [];
  const { leaseTtlMs, heartbeatMs, dispatchVisibilityMs, heartbeatJitterMs } = timings;
  if (leaseTtlMs <= HEARTBEATS_PER_TTL * heartbeatMs) {
    problems.push({
      name: 'lease_ttl_within_three_heartbeats',
      message: `the lease TTL (${leaseTtlMs} ms) must exceed three heartbeats (3 x ${heartbeatMs} ms)`,
    });
  }
  if (dispatchVisibilityMs < leaseTtlMs + heartbeatJitterMs) {
    problems.push({
      name: 'dispatch_visibility_under_lease_ttl',
      message:
        `dispatch visibility (${dispatchVisibilityMs} ms) must be at least the lease TTL ` +
        `and the heartbeat jitter together (${leaseTtlMs} + ${heartbeatJitterMs} ms)`,
    });
  }
  return problems;
}
