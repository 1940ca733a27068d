import {
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  type Change,
  type Plan,
  type PlannedJob,
  type Repository,
  type RunPolicy,
} from '@delta-ci/contracts';

const COMMIT = 'c'.repeat(40);

export const NO_OP_REPOSITORY: Repository = {
  id: 'github/bench/empty',
  forge: 'github',
  fullName: 'bench/empty',
  cloneUrl: 'http://127.0.0.1:9/bench/empty.git',
  defaultBranch: 'main',
};

export const NO_OP_CHANGE: Change = {
  kind: 'manual',
  ref: 'refs/heads/main',
  base: null,
  head: COMMIT,
  targetRef: null,
  pullRequest: null,
  title: 'no-op jobs',
  author: 'bench',
  trust: 'trusted',
};

/** A plan of independent jobs that do nothing: what is left is the system's own work. */
export function noOpPlan(jobs: number, policy: Partial<RunPolicy> = {}): Plan {
  return {
    version: 1,
    repository: NO_OP_REPOSITORY,
    change: NO_OP_CHANGE,
    commit: COMMIT,
    tree: 'd'.repeat(40),
    comparedWith: null,
    trust: 'trusted',
    source: { kind: 'config', evidence: 'made for measuring' },
    rerun: null,
    jobs: Array.from({ length: jobs }, (_, index) => noOpJob(`job-${index}`)),
    skipped: [],
    units: [],
    files: [],
    policy: { ...DEFAULT_RUN_POLICY, maxConcurrency: 1_000, ...policy },
    notes: [],
    summary: `${jobs} jobs that do nothing`,
    inputs: {},
  };
}

/** A job whose one step does nothing; specs give it steps of their own. */
export function noOpJob(key: string): PlannedJob {
  return {
    key,
    title: key,
    kind: 'custom',
    unit: null,
    needs: [],
    steps: [{ name: 'nothing', run: 'true', workdir: '.' }],
    env: {},
    image: null,
    requirements: { pool: 'default', os: 'linux', isolation: 'sandbox', toolchains: [], labels: [] },
    limits: DEFAULT_JOB_LIMITS,
    egress: { allow: [] },
    secrets: [],
    artifacts: [],
    caches: [],
    policy: DEFAULT_JOB_POLICY,
    explanation: {
      decision: 'run',
      chain: [{ kind: 'change', detail: 'made for measuring' }],
      sentence: 'It runs because it is measured.',
    },
  };
}
