import type { CapacityHistory, CapacityPolicy, CapacitySnapshot, EpochMs } from '@delta-ci/contracts';

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
