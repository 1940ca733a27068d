import { describe, expect, it } from '@jest/globals';
import type { CapacityPolicy, CapacitySnapshot } from '@delta-ci/contracts';
import fc from 'fast-check';
import { NEWER_RUN } from '../run/a-run.fixture.ts';
import { lived, passTime } from '../run/lived-run.fixture.ts';
import { decideRerun } from '../run/rerun.ts';
import { NO_CAPACITY_HISTORY } from '../scaling/capacity-signals.ts';
import { decideCapacity } from '../scaling/decide-capacity.ts';
import { redecideRerun, redecideScaling } from './redecide-others.ts';

const POLICY: CapacityPolicy = {
  pool: 'default',
  min: 0,
  max: 4,
  warmIdle: 0,
  scaleUpStepMax: 4,
  scaleUpPercentMax: 400,
  scaleUpCooldownMs: 1_000,
  scaleDownStepMax: 1,
  scaleDownWindowMs: 1_000,
  scaleDownCooldownMs: 1_000,
  quietBacklogMax: 0,
  quietErrorRateMax: 1,
  failedStartBackoffMs: 1_000,
  failedStartBackoffMaxMs: 8_000,
  pricePerRunnerMinute: 0,
  costCap: 1,
};
const SNAPSHOT: CapacitySnapshot = {
  nowMs: 1_000,
  queued: 2,
  oldestQueuedAgeMs: 10,
  leased: 0,
  idle: 0,
  starting: 0,
  failedStartsInARow: 0,
  lastFailedStartAtMs: null,
  costSoFar: 0,
  errorRate: 0,
};

describe('a scaling decision, made again', () => {
  const recorded = decideCapacity(POLICY, SNAPSHOT, NO_CAPACITY_HISTORY);

  it('is the same', () => {
    expect(redecideScaling(recorded)).toBeNull();
  });

  it('that was recorded otherwise is named by its field', () => {
    expect(redecideScaling({ ...recorded, count: 3 })).toEqual({
      field: 'count',
      recorded: 3,
      decided: recorded.count,
    });
  });

  it('cannot be judged when its inputs were not recorded', () => {
    expect(redecideScaling({ ...recorded, inputs: null })).toBe('not-recorded');
  });
});

describe('a rerun, decided again', () => {
  it('law: starts from the same, and what is recorded otherwise is named', () => {
    fc.assert(
      fc.property(lived, fc.constantFrom('all' as const, 'failed' as const), (world, only) => {
        passTime(world);
        const decided = decideRerun(world.run, { newRunId: NEWER_RUN, only });
        fc.pre(decided.ok && decided.data.rerun !== null);
        if (!decided.ok || decided.data.rerun === null) return;
        expect(redecideRerun(world.run, decided.data)).toBeNull();
        const { rerun } = decided.data;
        expect(redecideRerun(world.run, { ...decided.data, rerun: { ...rerun, jobs: ['other'] } })?.field).toMatch(
          /^rerun\.jobs/,
        );
      }),
    );
  });

  it('of a run that is not over would have been refused', () => {
    const [world] = fc.sample(lived, { numRuns: 1, seed: 3 });
    if (world === undefined) return;
    passTime(world);
    const decided = decideRerun(world.run, { newRunId: NEWER_RUN, only: 'all' });
    if (!decided.ok) throw new Error(decided.refusal.message);
    expect(redecideRerun({ state: 'absent' }, decided.data)).toMatchObject({ decided: 'not_found' });
  });
});
