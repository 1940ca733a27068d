import {
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  type Explanation,
  type PlannedJob,
  type PlannedJobState,
} from '@delta-ci/contracts';

/** An explanation with one link, which says the same unless it is given a `detail`. */
export const because = (decision: Explanation['decision'], sentence: string, detail = sentence): Explanation => ({
  decision,
  chain: [{ kind: 'change', detail }],
  sentence,
});

/** What a run knows of a job: its plain policy, and a place in the default pool. */
export function aJobState(key: string, over: Partial<PlannedJobState> = {}): PlannedJobState {
  return {
    key,
    needs: [],
    policy: DEFAULT_JOB_POLICY,
    requirements: { pool: 'default', os: 'linux', isolation: 'process', toolchains: [], labels: [] },
    ...over,
  };
}

/** A job as planned, with nothing special about it: one step that does nothing, without needs, secrets or files. */
export function aPlannedJob(key: string, over: Partial<PlannedJob> = {}): PlannedJob {
  const { needs, policy, requirements } = aJobState(key);
  return {
    key,
    title: key,
    kind: 'test',
    unit: null,
    needs,
    steps: [{ name: key, run: 'true', workdir: '.' }],
    env: {},
    image: null,
    requirements,
    limits: DEFAULT_JOB_LIMITS,
    egress: { allow: [] },
    secrets: [],
    artifacts: [],
    caches: [],
    policy,
    explanation: because('run', `${key} runs`),
    ...over,
  };
}
