import { describe, expect, it } from '@jest/globals';
import { EVENT_DATA, type CapacityHistory, type CapacityPolicy, type CapacitySnapshot } from '@delta-ci/contracts';
import fc from 'fast-check';
import { T0 } from '../run/a-run.fixture.ts';
import { validateCapacityPolicy } from './capacity-policy.ts';
import { NO_CAPACITY_HISTORY } from './capacity-signals.ts';
import { decideCapacity, rememberCapacity, type CapacityDecision } from './decide-capacity.ts';

const POLICY: CapacityPolicy = {
  pool: 'default',
  min: 1,
  max: 10,
  warmIdle: 1,
  scaleUpStepMax: 4,
  scaleUpPercentMax: 200,
  scaleUpCooldownMs: 5_000,
  scaleDownStepMax: 2,
  scaleDownWindowMs: 60_000,
  scaleDownCooldownMs: 30_000,
  quietBacklogMax: 0,
  quietErrorRateMax: 0.1,
  failedStartBackoffMs: 1_000,
  failedStartBackoffMaxMs: 8_000,
  pricePerRunnerMinute: 0.01,
  costCap: 100,
};
const EMPTY: CapacitySnapshot = {
  nowMs: T0,
  queued: 0,
  oldestQueuedAgeMs: 0,
  leased: 0,
  idle: 0,
  starting: 0,
  failedStartsInARow: 0,
  lastFailedStartAtMs: null,
  costSoFar: 0,
  errorRate: 0,
};

function decide(
  snapshot: Partial<CapacitySnapshot>,
  history: Partial<CapacityHistory> = {},
  policy: Partial<CapacityPolicy> = {},
): CapacityDecision {
  return decideCapacity({ ...POLICY, ...policy }, { ...EMPTY, ...snapshot }, { ...NO_CAPACITY_HISTORY, ...history });
}

describe('a pool', () => {
  it('starts with its minimum', () => {
    expect(decide({})).toEqual({
      pool: 'default',
      desired: 1,
      current: 0,
      action: 'start',
      count: 1,
      signals: expect.objectContaining({ queued: 0, leased: 0, idle: 0, starting: 0 }),
      bounds: { min: 1, max: 10 },
      applied: [],
      sentence: 'Pool default: 0 queued, 0 busy, 0 idle, 0 starting: start 1 to reach 1.',
      inputs: { policy: POLICY, snapshot: EMPTY, history: NO_CAPACITY_HISTORY },
    });
  });

  it('grows with the queue, a step at a time', () => {
    expect(decide({ queued: 8, idle: 1 }, { target: 1 })).toMatchObject({
      desired: 3,
      action: 'start',
      count: 2,
      applied: ['scale-up step: at most 2 more at once'],
    });
  });

  it('counts runners that are starting as capacity', () => {
    expect(decide({ queued: 2, starting: 3 }, { target: 3 })).toMatchObject({ action: 'hold', count: 0 });
  });

  it('replaces runners that left without a cool-down', () => {
    const history = { target: 4, lastGrowthAtMs: T0 - 1 };
    expect(decide({ queued: 3, leased: 0, idle: 1 }, history)).toMatchObject({ action: 'start', count: 3 });
  });

  it('waits between two growths', () => {
    expect(decide({ queued: 9, idle: 2 }, { target: 2, lastGrowthAtMs: T0 - 1_000 })).toMatchObject({
      desired: 2,
      action: 'hold',
      applied: ['scale-up cool-down: 4000 ms left'],
    });
  });

  it('stops at its maximum and says so', () => {
    expect(decide({ queued: 50, leased: 9, idle: 0 }, { target: 9 })).toMatchObject({
      desired: 10,
      count: 1,
      applied: ['max 10: 60 would be used'],
    });
  });

  it('shrinks after a quiet window only, and only by idle runners', () => {
    const busy = { leased: 3, idle: 2 };
    expect(decide(busy, { target: 8, quietSinceMs: T0 - 59_000 })).toMatchObject({
      action: 'start',
      applied: ['scale-down window: 1000 ms of quiet to go'],
    });
    expect(decide({ leased: 3, idle: 5 }, { target: 8, quietSinceMs: T0 - 60_000 })).toMatchObject({
      desired: 6,
      action: 'retire',
      count: 2,
      applied: ['scale-down step: at most 2 fewer at once'],
    });
    expect(decide({ leased: 7, idle: 1 }, { target: 2, quietSinceMs: T0 - 90_000 }, { max: 2 })).toMatchObject({
      action: 'retire',
      count: 1,
      applied: ['max 2: 8 would be used', 'busy runners stay: 1 idle'],
    });
  });

  it('does not shrink soon after it grew, or while errors are over the baseline', () => {
    const quiet = { target: 5, quietSinceMs: T0 - 90_000 };
    expect(decide({ idle: 5 }, { ...quiet, lastGrowthAtMs: T0 - 20_000 })).toMatchObject({
      action: 'hold',
      applied: ['scale-down cool-down: 10000 ms left'],
    });
    expect(decide({ idle: 5, errorRate: 0.5 }, quiet)).toMatchObject({
      action: 'hold',
      applied: ['scale-down window: the pool is not quiet'],
    });
  });

  it('retires nothing that the demand has use for, though its target grows in steps', () => {
    const quiet = { target: 1, quietSinceMs: T0 - 90_000 };
    expect(decide({ idle: 5 }, quiet, { warmIdle: 5, scaleUpStepMax: 1 })).toMatchObject({
      desired: 2,
      action: 'hold',
    });
  });

  it('starts nothing at its cost cap and says that work waits', () => {
    expect(decide({ queued: 3, costSoFar: 100 })).toMatchObject({
      action: 'hold',
      applied: expect.arrayContaining(['cost cap 100 reached: new work waits']),
    });
  });

  it('waits longer after every failed start, then tries one', () => {
    const failing = { queued: 3, failedStartsInARow: 3, lastFailedStartAtMs: T0 - 3_999 };
    const history = { target: 4 };
    expect(decide(failing, history)).toMatchObject({
      action: 'hold',
      applied: ['failed-start back-off: 3 in a row, 1 ms left'],
    });
    expect(decide({ ...failing, nowMs: T0 + 1 }, history)).toMatchObject({
      count: 1,
      applied: ['failed-start breaker: one start as a probe'],
    });
    expect(decide({ ...failing, nowMs: T0 + 1, starting: 1 }, history)).toMatchObject({ action: 'hold' });
    expect(decide({ ...failing, failedStartsInARow: 40, nowMs: T0 + 8_000 }, history)).toMatchObject({ count: 1 });
  });
});

describe('a capacity policy', () => {
  it('with every bound is valid', () => expect(validateCapacityPolicy(POLICY)).toEqual([]));

  it.each<[Partial<CapacityPolicy>, keyof CapacityPolicy]>([
    [{ max: 0, min: 0 }, 'max'],
    [{ min: 11 }, 'min'],
    [{ min: -1 }, 'min'],
    [{ min: 0.5 }, 'min'],
    [{ scaleUpCooldownMs: 0 }, 'scaleUpCooldownMs'],
    [{ scaleDownCooldownMs: 0 }, 'scaleDownCooldownMs'],
    [{ scaleDownWindowMs: 0 }, 'scaleDownWindowMs'],
    [{ costCap: 0 }, 'costCap'],
    [{ costCap: Number.NaN }, 'costCap'],
    [{ quietErrorRateMax: 2 }, 'quietErrorRateMax'],
    [{ failedStartBackoffMaxMs: 10 }, 'failedStartBackoffMaxMs'],
  ])('%j is refused', (part, name) => {
    expect(validateCapacityPolicy({ ...POLICY, ...part }).map((problem) => problem.name)).toEqual([name]);
  });
});

/** What a pool goes through: arrivals and ends of jobs, starts that come up or fail, time that passes. */
interface Weather {
  readonly forwardMs: number;
  readonly arrivals: number;
  readonly ends: number;
  readonly startsUp: number;
  readonly startFails: boolean;
  readonly errorRate: number;
  readonly cost: number;
}

const weather: fc.Arbitrary<Weather[]> = fc.array(
  fc.record({
    forwardMs: fc.constantFrom(100, 1_000, 10_000, 40_000),
    arrivals: fc.oneof(fc.constant(0), fc.nat(20)),
    ends: fc.nat(5),
    startsUp: fc.nat(4),
    startFails: fc.boolean(),
    errorRate: fc.constantFrom(0, 0, 0.5),
    cost: fc.constantFrom(0, 0, 1, 30),
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
);

const policies: fc.Arbitrary<CapacityPolicy> = fc
  .record({
    min: fc.nat(3),
    over: fc.integer({ min: 1, max: 10 }),
    warmIdle: fc.nat(3),
    scaleUpStepMax: fc.integer({ min: 1, max: 5 }),
    scaleUpPercentMax: fc.constantFrom(10, 100, 300),
    scaleDownStepMax: fc.integer({ min: 1, max: 3 }),
    quietBacklogMax: fc.nat(2),
  })
  .map(({ min, over, ...rest }) => ({ ...POLICY, ...rest, min, max: min + over }));

interface Round {
  readonly snapshot: CapacitySnapshot;
  readonly history: CapacityHistory;
  readonly decision: CapacityDecision;
}

/** Lives a pool through the weather: ephemeral runners, each leaves with its job. */
function live(policy: CapacityPolicy, days: readonly Weather[]): Round[] {
  let snapshot = EMPTY;
  let history = NO_CAPACITY_HISTORY;
  return days.map((day) => {
    snapshot = weathered(snapshot, day);
    const decision = decideCapacity(policy, snapshot, history);
    const round = { snapshot, history, decision };
    history = rememberCapacity(policy, snapshot, history, decision);
    snapshot = carriedOut(snapshot, decision);
    return round;
  });
}

function weathered(before: CapacitySnapshot, day: Weather): CapacitySnapshot {
  const nowMs = before.nowMs + day.forwardMs;
  const fails = day.startFails && before.starting > 0;
  const up = fails ? 0 : Math.min(before.starting, day.startsUp);
  const queued = before.queued + day.arrivals;
  const idle = before.idle + up;
  const taken = Math.min(queued, idle);
  return {
    nowMs,
    queued: queued - taken,
    oldestQueuedAgeMs: 0,
    leased: Math.max(0, before.leased - day.ends) + taken,
    idle: idle - taken,
    starting: before.starting - up - (fails ? 1 : 0),
    failedStartsInARow: fails ? before.failedStartsInARow + 1 : up > 0 ? 0 : before.failedStartsInARow,
    lastFailedStartAtMs: fails ? nowMs : before.lastFailedStartAtMs,
    costSoFar: before.costSoFar + day.cost,
    errorRate: day.errorRate,
  };
}

function carriedOut(snapshot: CapacitySnapshot, { action, count }: CapacityDecision): CapacitySnapshot {
  if (action === 'start') return { ...snapshot, starting: snapshot.starting + count };
  return action === 'retire' ? { ...snapshot, idle: snapshot.idle - count } : snapshot;
}

/** Checks one law over every round of every weather. */
function law(holds: (round: Round, policy: CapacityPolicy, earlier: readonly Round[]) => boolean): void {
  fc.assert(
    fc.property(policies, weather, (policy, days) => {
      const rounds = live(policy, days);
      const broken = rounds.filter((round, at) => !holds(round, policy, rounds.slice(0, at)));
      expect(broken).toEqual([]);
    }),
    { numRuns: 200 },
  );
}

const started = ({ decision }: Round): number => (decision.action === 'start' ? decision.count : 0);
const retired = ({ decision }: Round): number => (decision.action === 'retire' ? decision.count : 0);

describe('through any weather a pool', () => {
  it('never leaves its bounds', () =>
    law(({ decision }, { min, max }) => decision.desired >= min && decision.desired <= max));

  it('never has more runners than its maximum', () =>
    law((round, { max }) => started(round) === 0 || round.decision.current + started(round) <= max));

  it('starts no more at once than its step', () => law((round, policy) => started(round) <= policy.scaleUpStepMax));

  it('grows its target by no more than its step and percentage, and not again within the cool-down', () =>
    law(({ decision, history, snapshot }, policy) => {
      const before = Math.min(policy.max, Math.max(policy.min, history.target));
      const grew = decision.desired - before;
      const percent = Math.max(1, (before * policy.scaleUpPercentMax) / 100);
      const cool =
        history.lastGrowthAtMs === null || snapshot.nowMs - history.lastGrowthAtMs >= policy.scaleUpCooldownMs;
      return grew <= 0 || (grew <= policy.scaleUpStepMax && grew <= percent && cool);
    }));

  it('never takes a busy or a starting runner, and keeps its minimum', () =>
    law((round, { min }) => {
      const left = round.decision.current - retired(round);
      return retired(round) === 0 || (retired(round) <= round.snapshot.idle && left >= min);
    }));

  it('retires only after a whole window in which every look found it quiet, and not soon after a growth', () =>
    law((round, policy, earlier) => {
      if (retired(round) === 0) return true;
      const { nowMs } = round.snapshot;
      const window = [...earlier, round].filter(({ snapshot }) => snapshot.nowMs >= nowMs - policy.scaleDownWindowMs);
      const quiet = window.every(
        ({ snapshot }) => snapshot.queued <= policy.quietBacklogMax && snapshot.errorRate <= policy.quietErrorRateMax,
      );
      const grewAtMs = round.history.lastGrowthAtMs ?? -Infinity;
      return quiet && nowMs - grewAtMs >= policy.scaleDownCooldownMs;
    }));

  it('starts nothing at its cost cap, and says so when it would have', () =>
    law((round, { costCap }) => {
      if (round.snapshot.costSoFar < costCap) return true;
      const short = round.decision.desired > round.decision.current;
      return started(round) === 0 && (!short || round.decision.sentence.includes('cost cap'));
    }));

  it('starts nothing while it backs off, and one at a time until a start succeeds', () =>
    law((round, policy) => {
      const { failedStartsInARow: failed, lastFailedStartAtMs, nowMs } = round.snapshot;
      if (failed === 0 || lastFailedStartAtMs === null) return true;
      const waitMs = Math.min(policy.failedStartBackoffMs * 2 ** (failed - 1), policy.failedStartBackoffMaxMs);
      return started(round) <= (nowMs < lastFailedStartAtMs + waitMs ? 0 : 1);
    }));

  it('is never moved up or down by errors alone', () =>
    law((round, policy) => {
      const worse = decideCapacity(policy, { ...round.snapshot, errorRate: 1 }, round.history);
      const noMore = worse.desired >= round.decision.desired || worse.desired === round.history.target;
      return started({ ...round, decision: worse }) <= Math.max(started(round), worse.desired - worse.current) && noMore
        ? worse.action !== 'retire'
        : false;
    }));

  it('explains every decision in one sentence, in the shape of its event', () =>
    law(({ decision }) => {
      const parsed = EVENT_DATA['scaling.decided'].safeParse(decision);
      return parsed.success && decision.applied.every((bound) => decision.sentence.includes(bound));
    }));

  it('gets to its minimum and its demand when the weather calms down', () =>
    fc.assert(
      fc.property(policies, weather, fc.nat(30), (policy, days, queued) => {
        const last = live(policy, days).at(-1);
        const before = last === undefined ? EMPTY : carriedOut(last.snapshot, last.decision);
        const calm = { ...before, queued, costSoFar: 0, failedStartsInARow: 0, errorRate: 0 };
        const reached = settle(policy, calm, last?.history ?? NO_CAPACITY_HISTORY);
        const demand = Math.min(policy.max, Math.max(policy.min, queued + before.leased + policy.warmIdle));
        expect(reached).toBeGreaterThanOrEqual(demand);
        expect(reached).toBeLessThanOrEqual(Math.max(policy.max, before.leased));
      }),
    ));
});

/** Runners after many quiet rounds of an unchanging demand, every start coming up. */
function settle(policy: CapacityPolicy, from: CapacitySnapshot, remembered: CapacityHistory): number {
  let snapshot = from;
  let history = remembered;
  for (let round = 0; round < 60; round += 1) {
    const nowMs = snapshot.nowMs + 10_000;
    snapshot = { ...snapshot, nowMs, idle: snapshot.idle + snapshot.starting, starting: 0 };
    const decision = decideCapacity(policy, snapshot, history);
    history = rememberCapacity(policy, snapshot, history, decision);
    snapshot = carriedOut(snapshot, decision);
  }
  return snapshot.leased + snapshot.idle + snapshot.starting;
}
