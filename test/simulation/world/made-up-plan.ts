import type { Change, Plan, PlannedJob, Repository, RunPolicy } from '@delta-ci/contracts';
import type { Random } from '../engine/random.ts';
import { aPlan } from '../../support/made-up/plan.ts';
import { aPlannedJob } from '../../support/made-up/planned-job.ts';

const KEYS = ['build', 'unit', 'lint', 'e2e', 'docs', 'pack'] as const;

/** A plan out of the hat: a few jobs with needs, retries, budgets, limits and priorities of all kinds. */
export function madeUpPlan(random: Random, repository: Repository, change: Change, policy: RunPolicy): Plan {
  const count = random.chance(0.05) ? 0 : random.between(1, 5);
  const jobs = KEYS.slice(0, count).map((key, index) => madeUpJob(random, key, KEYS.slice(0, index)));
  const changed = { maxConcurrency: random.between(1, 5), failFast: random.chance(0.7) };
  if (random.chance(0.25)) jobs.push(madeUpShadow(random));
  return aPlan({ repository, change, jobs, policy: { ...policy, ...changed } });
}

/** A sample of what was left out: it decides nothing, and whatever becomes of it changes no result. */
function madeUpShadow(random: Random): PlannedJob {
  const { policy, ...job } = madeUpJob(random, 'shadow', []);
  const decides = { required: false, allowFailure: true, priority: -100, retries: 1 };
  return { ...job, policy: { ...policy, ...decides, leftOut: { by: ['ownership'], as: 'shadow' } } };
}

function madeUpJob(random: Random, key: string, earlier: readonly string[]): PlannedJob {
  const { requirements } = aPlannedJob(key);
  const required = random.chance(0.8);
  return aPlannedJob(key, {
    needs: earlier.filter(() => random.chance(0.3)),
    requirements: { ...requirements, toolchains: [], labels: random.chance(0.03) ? ['nobody-has-this'] : [] },
    artifacts: random.chance(0.4) ? [{ type: 'file', path: 'out/**', retentionDays: 7 }] : [],
    policy: {
      required,
      allowFailure: random.chance(0.15),
      retries: random.between(0, 2),
      lostRetries: random.between(0, 3),
      retryTimeouts: random.chance(0.3),
      timeoutMs: random.between(60, 400) * 1_000,
      priority: random.between(-2, 2),
    },
  });
}
