import type { CapacityHistory, CapacityPolicy, CapacitySnapshot, DomainEventOf } from '@delta-ci/contracts';
import { currentRunners, quietSinceMs, startsAgainAtMs } from './capacity-signals.ts';

/** What a pool should do now and why: the data of `scaling.decided`. */
export type CapacityDecision = DomainEventOf<'scaling.decided'>['data'];

/** A number with the bounds that made it so. */
interface Bounded {
  readonly value: number;
  readonly applied: readonly string[];
}

/**
 * Decides a pool's capacity: how many runners it should have, and what to start or retire for that. The policy must be
 * valid. `desired` never leaves the policy's bounds; only idle runners are retired; what held a step back is in
 * `applied`, and one sentence says it all.
 */
export function decideCapacity(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
): CapacityDecision {
  const current = currentRunners(snapshot);
  const demand = snapshot.leased + snapshot.queued + policy.warmIdle;
  const wanted = clamp(demand, policy);
  const target = targetOf(policy, snapshot, history, wanted);
  const surplus = current - Math.max(target.value, wanted);
  const starts = target.value > current ? startsOf(policy, snapshot, target.value - current) : NOTHING;
  const retirements = surplus > 0 ? retirementsOf(policy, snapshot, history, surplus) : NOTHING;
  const bounds = boundsApplied(policy, demand, wanted);
  const applied = [...new Set([...bounds, ...target.applied, ...starts.applied, ...retirements.applied])];
  const action = starts.value > 0 ? 'start' : retirements.value > 0 ? 'retire' : 'hold';
  const decision = {
    pool: policy.pool,
    desired: target.value,
    current,
    action,
    count: starts.value + retirements.value,
    signals: signalsOf(policy, snapshot),
    bounds: { min: policy.min, max: policy.max },
    applied,
  } as const;
  return { ...decision, sentence: sentenceOf(decision, snapshot), inputs: { policy, snapshot, history } };
}

/** What to remember for the next decision. */
export function rememberCapacity(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
  decision: CapacityDecision,
): CapacityHistory {
  const grew = decision.desired > clamp(history.target, policy);
  return {
    target: decision.desired,
    lastGrowthAtMs: grew ? snapshot.nowMs : history.lastGrowthAtMs,
    quietSinceMs: quietSinceMs(policy, snapshot, history),
  };
}

const NOTHING: Bounded = { value: 0, applied: [] };

function targetOf(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
  wanted: number,
): Bounded {
  const before = clamp(history.target, policy);
  if (wanted > before) return grown(policy, snapshot, history, before, wanted);
  return shrunk(policy, snapshot, history, before, wanted);
}

function boundsApplied(policy: CapacityPolicy, demand: number, wanted: number): string[] {
  if (wanted < demand) return [`max ${policy.max}: ${demand} would be used`];
  return wanted > demand ? [`min ${policy.min}: ${demand} would be used`] : [];
}

function grown(
  policy: CapacityPolicy,
  { nowMs }: CapacitySnapshot,
  { lastGrowthAtMs }: CapacityHistory,
  before: number,
  wanted: number,
): Bounded {
  if (lastGrowthAtMs !== null && nowMs < lastGrowthAtMs + policy.scaleUpCooldownMs) {
    const leftMs = lastGrowthAtMs + policy.scaleUpCooldownMs - nowMs;
    return { value: before, applied: [`scale-up cool-down: ${leftMs} ms left`] };
  }
  const percentStep = Math.max(1, Math.floor((before * policy.scaleUpPercentMax) / 100));
  const step = Math.min(policy.scaleUpStepMax, percentStep);
  if (wanted <= before + step) return { value: wanted, applied: [] };
  return { value: before + step, applied: [`scale-up step: at most ${step} more at once`] };
}

function shrunk(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
  before: number,
  wanted: number,
): Bounded {
  if (wanted === before) return { value: before, applied: [] };
  const held = heldBack(policy, snapshot, history);
  if (held !== null) return { value: before, applied: [held] };
  if (wanted >= before - policy.scaleDownStepMax) return { value: wanted, applied: [] };
  return {
    value: before - policy.scaleDownStepMax,
    applied: [`scale-down step: at most ${policy.scaleDownStepMax} fewer at once`],
  };
}

/** Why no runner may be retired yet; null when it may. */
function heldBack(policy: CapacityPolicy, snapshot: CapacitySnapshot, history: CapacityHistory): string | null {
  const sinceMs = quietSinceMs(policy, snapshot, history);
  if (sinceMs === null) return 'scale-down window: the pool is not quiet';
  const quietLeftMs = sinceMs + policy.scaleDownWindowMs - snapshot.nowMs;
  if (quietLeftMs > 0) return `scale-down window: ${quietLeftMs} ms of quiet to go`;
  const cooldownLeftMs = (history.lastGrowthAtMs ?? -Infinity) + policy.scaleDownCooldownMs - snapshot.nowMs;
  return cooldownLeftMs > 0 ? `scale-down cool-down: ${cooldownLeftMs} ms left` : null;
}

function startsOf(policy: CapacityPolicy, snapshot: CapacitySnapshot, missing: number): Bounded {
  if (snapshot.costSoFar >= policy.costCap) {
    return { value: 0, applied: [`cost cap ${policy.costCap} reached: new work waits`] };
  }
  const againAtMs = startsAgainAtMs(policy, snapshot);
  if (againAtMs !== null && snapshot.nowMs < againAtMs) {
    const leftMs = againAtMs - snapshot.nowMs;
    return { value: 0, applied: [`failed-start back-off: ${snapshot.failedStartsInARow} in a row, ${leftMs} ms left`] };
  }
  if (againAtMs !== null) {
    // One start that succeeds closes the breaker; until then many would only fail together.
    if (snapshot.starting > 0) return { value: 0, applied: ['failed-start breaker: waits for the start under way'] };
    return { value: 1, applied: missing > 1 ? ['failed-start breaker: one start as a probe'] : [] };
  }
  if (missing <= policy.scaleUpStepMax) return { value: missing, applied: [] };
  return { value: policy.scaleUpStepMax, applied: [`scale-up step: at most ${policy.scaleUpStepMax} starts at once`] };
}

/** Runners over the maximum go as soon as they are idle; others only when the pool has been quiet long enough. */
function retirementsOf(
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
  surplus: number,
): Bounded {
  const overMax = Math.max(0, currentRunners(snapshot) - policy.max);
  const held = heldBack(policy, snapshot, history);
  const wanted = held === null ? Math.min(surplus, Math.max(overMax, policy.scaleDownStepMax)) : overMax;
  const value = Math.min(wanted, snapshot.idle);
  const applied = [
    ...(held !== null && overMax === 0 ? [held] : []),
    ...(value < wanted ? [`busy runners stay: ${snapshot.idle} idle`] : []),
  ];
  return { value, applied };
}

function clamp(runners: number, { min, max }: CapacityPolicy): number {
  return Math.min(max, Math.max(min, runners));
}

function signalsOf(policy: CapacityPolicy, snapshot: CapacitySnapshot): Record<string, number> {
  const { queued, oldestQueuedAgeMs, leased, idle, starting, failedStartsInARow, costSoFar, errorRate } = snapshot;
  const costPerHour = currentRunners(snapshot) * policy.pricePerRunnerMinute * 60;
  return { queued, oldestQueuedAgeMs, leased, idle, starting, failedStartsInARow, costSoFar, costPerHour, errorRate };
}

function sentenceOf(decision: Omit<CapacityDecision, 'sentence' | 'inputs'>, snapshot: CapacitySnapshot): string {
  const seen = `${snapshot.queued} queued, ${snapshot.leased} busy, ${snapshot.idle} idle, ${snapshot.starting} starting`;
  const doing = {
    start: `start ${decision.count} to reach ${decision.desired}`,
    retire: `retire ${decision.count} idle to reach ${decision.desired}`,
    hold: `hold at ${decision.current} of ${decision.desired} wanted`,
  }[decision.action];
  const why = decision.applied.length === 0 ? '' : ` (${decision.applied.join('; ')})`;
  return `Pool ${decision.pool}: ${seen}: ${doing}${why}.`;
}
