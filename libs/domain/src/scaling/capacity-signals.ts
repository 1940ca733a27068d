import type { EpochMs } from '@delta-ci/contracts';
import type { CapacityPolicy } from './capacity-policy.ts';

/** A pool as it is at one moment. Demand comes from the queue and the leases; nothing else may raise capacity. */
export interface CapacitySnapshot {
  readonly nowMs: EpochMs;
  /** Attempts waiting for a runner of the pool. */
  readonly queued: number;
  readonly oldestQueuedAgeMs: number;
  /** Runners by what they do; one that is starting counts as capacity already. */
  readonly leased: number;
  readonly idle: number;
  readonly starting: number;
  readonly failedStartsInARow: number;
  readonly lastFailedStartAtMs: EpochMs | null;
  /** Spent in the accounting period. */
  readonly costSoFar: number;
  /** Share of recent attempts that met infrastructure errors; can only hold a retirement back. */
  readonly errorRate: number;
}

/** What a pool remembers between decisions. */
export interface CapacityHistory {
  /** Runners wanted by the last decision. */
  readonly target: number;
  readonly lastGrowthAtMs: EpochMs | null;
  /** Since when the pool has been quiet without a break; null when it is not. */
  readonly quietSinceMs: EpochMs | null;
}

export const NO_CAPACITY_HISTORY: CapacityHistory = { target: 0, lastGrowthAtMs: null, quietSinceMs: null };

export function currentRunners(snapshot: CapacitySnapshot): number {
  return snapshot.leased + snapshot.idle + snapshot.starting;
}

/** Since when the pool is quiet, this snapshot included: the backlog small and errors within the baseline. */
export function quietSinceMs(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
): EpochMs | null {
  const quiet = snapshot.queued <= policy.quietBacklogMax && snapshot.errorRate <= policy.quietErrorRateMax;
  return quiet ? (history.quietSinceMs ?? snapshot.nowMs) : null;
}

/** When the next start may be tried after failed ones; null when none failed. Doubles up to the policy's maximum. */
export function startsAgainAtMs(policy: CapacityPolicy, snapshot: CapacitySnapshot): EpochMs | null {
  if (snapshot.failedStartsInARow === 0 || snapshot.lastFailedStartAtMs === null) return null;
  const backoffMs = policy.failedStartBackoffMs * 2 ** (snapshot.failedStartsInARow - 1);
  return snapshot.lastFailedStartAtMs + Math.min(backoffMs, policy.failedStartBackoffMaxMs);
}
