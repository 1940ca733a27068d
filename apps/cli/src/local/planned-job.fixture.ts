import { DEFAULT_JOB_LIMITS, DEFAULT_JOB_POLICY, type PlannedJob } from '@delta-ci/contracts';

/** A job as planned, with nothing special about it. */
export function plannedJob(key: string, more: Partial<PlannedJob> = {}): PlannedJob {
  return {
    key,
    title: key,
    kind: 'test',
    unit: null,
    needs: [],
    steps: [{ name: key, run: 'true', workdir: '.' }],
    env: {},
    image: null,
    requirements: { pool: 'local', os: 'linux', isolation: 'sandbox', toolchains: [], labels: [] },
    limits: DEFAULT_JOB_LIMITS,
    egress: { allow: [] },
    secrets: [],
    artifacts: [],
    caches: [],
    policy: DEFAULT_JOB_POLICY,
    explanation: {
      decision: 'run',
      chain: [{ kind: 'change', detail: 'all' }],
      sentence: `${key} runs because it was asked for.`,
    },
    ...more,
  };
}
