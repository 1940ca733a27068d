import { DEFAULT_RUN_POLICY, type Plan, type PlannedJob, type RunPolicy } from '@delta-ci/contracts';
import { aChange } from '../made-up/change.ts';
import { aPlan } from '../made-up/plan.ts';
import { aPlannedJob, because } from '../made-up/planned-job.ts';
import { aRepository } from '../made-up/repository.ts';

export const NO_OP_REPOSITORY = aRepository({
  id: 'github/bench/empty',
  fullName: 'bench/empty',
  cloneUrl: 'http://127.0.0.1:9/bench/empty.git',
});

export const NO_OP_CHANGE = aChange({ kind: 'manual', head: 'c'.repeat(40), title: 'no-op jobs', author: 'bench' });

/** A plan of independent jobs that do nothing: what is left is the system's own work. */
export function noOpPlan(jobs: number, policy: Partial<RunPolicy> = {}): Plan {
  return aPlan({
    repository: NO_OP_REPOSITORY,
    change: NO_OP_CHANGE,
    source: { kind: 'config', evidence: 'made for measuring' },
    jobs: Array.from({ length: jobs }, (_, index) => noOpJob(`job-${index}`)),
    policy: { ...DEFAULT_RUN_POLICY, maxConcurrency: 1_000, ...policy },
    summary: `${jobs} jobs that do nothing`,
  });
}

const noOpJob = (key: string): PlannedJob =>
  aPlannedJob(key, {
    kind: 'custom',
    requirements: { pool: 'default', os: 'linux', isolation: 'sandbox', toolchains: [], labels: [] },
    explanation: because('run', 'It runs because it is measured.', 'made for measuring'),
  });
