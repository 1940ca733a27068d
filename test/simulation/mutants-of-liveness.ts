import type { Mutant } from './mutant.ts';

/** Mistakes after which everything still ends lawfully: too late, or as if something had been wrong. */
export const MUTANTS_OF_LIVENESS: readonly Mutant[] = [
  {
    name: 'a pull ends when its runner has just left',
    changes: [
      {
        file: 'apps/orchestrator/src/leases/pool-desk.ts',
        find: 'const PULL_MS = 2_000;',
        replace: 'const PULL_MS = 5_000;',
      },
      {
        file: 'apps/orchestrator/src/leases/pool-desk.ts',
        find: 'const toldNone = asking.filter((seat) => !offered.has(seat));',
        replace: 'const toldNone = asking.filter((seat) => !offered.has(seat) && this.#seats.includes(seat));',
      },
    ],
    caughtBy: ['19 waiting work is taken'],
  },
  {
    name: 'the pool does not grow with its queue',
    changes: [
      {
        file: 'libs/domain/src/scaling/decide-capacity.ts',
        find: 'const demand = snapshot.leased + snapshot.queued + policy.warmIdle;',
        replace: 'const demand = policy.warmIdle;',
      },
    ],
    caughtBy: ['19 waiting work is taken'],
  },
  {
    name: 'a removal may take for ever',
    changes: [
      {
        file: 'apps/runner/src/ends-in-time.ts',
        find: 'export const REMOVAL_MS_MAX = 300_000;',
        replace: 'export const REMOVAL_MS_MAX = 300_000_000;',
      },
    ],
    caughtBy: ['19 waiting work is taken'],
  },
  {
    name: 'heartbeats are further apart than a lease lives',
    changes: [
      {
        file: 'apps/runner/src/lease-keeper.ts',
        find: '    }\n    this.#schedule(this.#lease.heartbeatMs);',
        replace: '    }\n    this.#schedule(2 * this.#lease.ttlMs);',
      },
    ],
    caughtBy: ['20 ends have a cause'],
  },
  {
    name: 'a runner ends without a word',
    changes: [
      {
        file: 'apps/runner/src/attempt.ts',
        find: '    await deliver(keeper, gateway, logger, report);\n',
        replace: '    void deliver;\n    void report;\n',
      },
    ],
    caughtBy: ['20 ends have a cause'],
  },
  {
    name: 'a planner outlasts whoever waits for its plan',
    changes: [
      {
        file: 'apps/planner/src/on-run-created.ts',
        find: 'const limitMs = Math.min(tools.timeLimitMs, policy.planningTimeoutMs * 0.9);',
        replace: 'const limitMs = 2 * policy.planningTimeoutMs;',
      },
    ],
    caughtBy: ['20 ends have a cause'],
  },
];
