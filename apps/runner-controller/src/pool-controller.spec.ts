import { afterEach, describe, expect, it } from '@jest/globals';
import type { CapacityPolicy } from '@delta-ci/contracts';
import type { CapacityDecision } from '@delta-ci/domain';
import { PoolController } from './pool-controller.ts';
import type { ProvisionedRunner } from './provisioner.ts';

const POLICY: CapacityPolicy = {
  pool: 'default',
  min: 1,
  max: 4,
  warmIdle: 1,
  scaleUpStepMax: 4,
  scaleUpPercentMax: 400,
  scaleUpCooldownMs: 1,
  scaleDownStepMax: 4,
  scaleDownWindowMs: 10,
  scaleDownCooldownMs: 10,
  quietBacklogMax: 0,
  quietErrorRateMax: 1,
  failedStartBackoffMs: 1_000,
  failedStartBackoffMaxMs: 8_000,
  pricePerRunnerMinute: 0,
  costCap: 1,
};

const id = (n: number): string => `rnr_${String(n).padStart(32, '0')}`;

const controllers: PoolController[] = [];
afterEach(async () => {
  for (const controller of controllers.splice(0)) await controller.close();
});

/** A pool of made-up runners: started ones register when told to; every look is one step of a made-up clock. */
function pool(policy: Partial<CapacityPolicy> = {}) {
  const runners: ProvisionedRunner[] = [];
  const retired: string[] = [];
  const decisions: CapacityDecision[] = [];
  const state = { nowMs: 1_000, queued: 0, busy: new Set<string>(), spent: new Set<string>(), started: 0 };
  const controller = new PoolController(
    { ...POLICY, ...policy },
    {
      demand: async () => {
        const idleRunners = runners.flatMap(({ runnerId }) =>
          runnerId === null || state.busy.has(runnerId) ? [] : [runnerId],
        );
        return Promise.resolve({
          nowMs: state.nowMs,
          queued: state.queued,
          oldestQueuedAgeMs: 0,
          leased: state.busy.size,
          idleRunners,
          spentRunners: idleRunners.filter((runnerId) => state.spent.has(runnerId)),
        });
      },
      provisioner: {
        start: () => void runners.push({ name: `r${(state.started += 1)}`, runnerId: null, retiring: false }),
        retire: (name) => {
          retired.push(name);
          const runner = runners.find((known) => known.name === name);
          if (runner !== undefined) runner.retiring = true;
        },
        runners: () => runners,
        close: async () => Promise.resolve(),
      },
      decided: async (decision) => {
        decisions.push(decision);
        return Promise.resolve();
      },
      onTrouble: (error) => {
        throw error;
      },
    },
    1_000_000,
  );
  controllers.push(controller);
  const look = async (): Promise<void> => {
    state.nowMs += 1_000;
    controller.look();
    // Nothing in here waits for anything real: one turn of the event loop later the look is over.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { controller, runners, retired, decisions, state, look };
}

describe('a pool controller', () => {
  it('given an empty pool, when it looks, then it starts the warm minimum and says why', async () => {
    const made = pool();
    await made.look();
    expect(made.runners.length).toBe(1);
    expect(made.decisions.map(({ action }) => action)).toEqual(['start']);
    expect(made.decisions[0]?.sentence).toContain('start 1');
  });

  it('given a backlog, when it looks, then it starts up to the maximum and no further', async () => {
    const made = pool();
    made.state.queued = 50;
    await made.look();
    expect(made.runners.length).toBe(4);
    expect(made.decisions[0]?.applied.join()).toContain('max 4');
  });

  it('given busy and idle runners in a quiet pool, when it looks, then only idle ones are retired', async () => {
    const made = pool({ warmIdle: 0, min: 0, scaleDownWindowMs: 1, scaleDownCooldownMs: 1 });
    made.runners.push(
      { name: 'busy', runnerId: id(1), retiring: false },
      { name: 'idle', runnerId: id(2), retiring: false },
    );
    made.state.busy.add(id(1));
    await made.look();
    await made.look();
    expect(made.retired).toEqual(['idle']);
  });

  it('given a job that waits and a runner that removes what its own left, when it looks, then another one is started', async () => {
    const made = pool({ warmIdle: 0 });
    made.runners.push({ name: 'spent', runnerId: id(1), retiring: false });
    made.state.spent.add(id(1));
    made.state.queued = 1;
    await made.look();
    expect(made.decisions.map(({ action, count }) => [action, count])).toEqual([['start', 1]]);
  });

  it('given a runner that removes what its job left and one that waits, when the pool is quiet, then the latter is retired', async () => {
    const made = pool({ warmIdle: 0, min: 0, scaleDownWindowMs: 1, scaleDownCooldownMs: 1 });
    made.runners.push(
      { name: 'spent', runnerId: id(1), retiring: false },
      { name: 'free', runnerId: id(2), retiring: false },
    );
    made.state.spent.add(id(1));
    for (let looks = 0; looks < 4; looks += 1) await made.look();
    expect(made.retired).toEqual(['free']);
  });

  it('given as many runners as the pool may have, one of them removing, when a job waits, then none is started beyond', async () => {
    const made = pool({ warmIdle: 0, max: 1 });
    made.runners.push({ name: 'spent', runnerId: id(1), retiring: false });
    made.state.spent.add(id(1));
    made.state.queued = 1;
    await made.look();
    expect([made.runners.length, made.retired]).toEqual([1, []]);
    made.runners.length = 0;
    await made.look();
    expect(made.runners.map(({ name }) => name)).toEqual(['r1']);
  });

  it('given a start that failed, then the next one waits and the decision says so', async () => {
    const made = pool({ failedStartBackoffMs: 5_000 });
    await made.look();
    made.runners.length = 0;
    made.controller.runnerEnded({ name: 'r1', runnerId: null, exitCode: 1, signal: null });
    await made.look();
    expect(made.runners.length).toBe(0);
    expect(made.decisions.at(-1)?.applied.join()).toContain('back-off');
    for (let second = 0; second < 6; second += 1) await made.look();
    expect(made.runners.length).toBe(1);
  });

  it('given nothing new, when it looks again and again, then it is told once', async () => {
    const made = pool();
    await made.look();
    for (const runner of made.runners) runner.runnerId = id(1);
    for (let looks = 0; looks < 5; looks += 1) await made.look();
    expect(made.decisions.map(({ action }) => action)).toEqual(['start', 'hold']);
  });
});
