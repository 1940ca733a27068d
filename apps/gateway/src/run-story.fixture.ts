import { createHash } from 'node:crypto';
import {
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  canonicalJson,
  runStream,
  type Change,
  type CompletionReport,
  type DomainEvent,
  type Explanation,
  type Json,
  type Plan,
  type PlannedJob,
  type ProposedPlan,
  type Repository,
} from '@delta-ci/contracts';
import { leaseHashOf } from '@delta-ci/service';
import { CLONE_URL, type TestGateway } from './gateway.fixture.ts';

/** A run of one job, from its creation to a runner that works on it, as the orchestrator would record it. */

export const RUN_ID = `run_${'1'.repeat(32)}`;
export const JOB = 'unit';
/** Far enough from any test's end. */
const LATER_MS = 4_000_000_000_000;

const repository: Repository = {
  id: 'github/demo/shop',
  forge: 'github',
  fullName: 'demo/shop',
  cloneUrl: CLONE_URL,
  defaultBranch: 'main',
};

const change: Change = {
  kind: 'push',
  ref: 'refs/heads/main',
  base: 'a'.repeat(40),
  head: 'b'.repeat(40),
  targetRef: null,
  pullRequest: null,
  title: 'add a cart',
  author: 'ada',
  trust: 'trusted',
};

const because = (decision: Explanation['decision'], sentence: string): Explanation => ({
  decision,
  chain: [{ kind: 'change', detail: sentence }],
  sentence,
});

const job: PlannedJob = {
  key: JOB,
  title: 'unit tests',
  kind: 'test',
  unit: 'packages/cart',
  needs: [],
  steps: [{ name: 'test', run: 'npm test', workdir: '.' }],
  env: {},
  image: null,
  requirements: { pool: 'default', os: 'linux', isolation: 'process', toolchains: [], labels: [] },
  limits: DEFAULT_JOB_LIMITS,
  egress: { allow: [] },
  secrets: [],
  artifacts: [],
  caches: [],
  policy: DEFAULT_JOB_POLICY,
  explanation: because('run', 'packages/cart changed'),
};

const plan: Plan = {
  version: 1,
  repository,
  change,
  commit: 'b'.repeat(40),
  tree: 'c'.repeat(40),
  comparedWith: 'a'.repeat(40),
  trust: 'trusted',
  source: { kind: 'discovery', evidence: 'package.json' },
  rerun: null,
  jobs: [job],
  skipped: [
    {
      key: 'docs',
      title: 'docs',
      kind: 'build',
      unit: 'docs',
      explanation: because('skip', 'nothing of docs changed'),
    },
  ],
  units: [
    {
      id: 'packages/cart',
      root: 'packages/cart',
      ecosystem: 'node',
      affected: true,
      explanation: because('run', 'packages/cart changed'),
    },
  ],
  files: [],
  policy: DEFAULT_RUN_POLICY,
  notes: [],
  summary: 'one job of two',
  inputs: {},
};

const digest = `sha256:${createHash('sha256')
  .update(canonicalJson(JSON.parse(JSON.stringify(plan)) as Json))
  .digest('hex')}`;
export const PROPOSED: ProposedPlan = { digest, plan };

const attempt = { jobKey: JOB, attempt: 1 };

export const report = (outcome: CompletionReport['outcome'] = 'succeeded'): CompletionReport => ({
  outcome,
  exitCode: 0,
  signal: null,
  steps: [],
  usage: { wallMs: 1, cpuMs: 1, memoryPeakBytes: null },
  artifacts: [],
  caches: [],
  infrastructureError: null,
  logBytes: 0,
  logTruncated: false,
  runnerStartedAtMs: 0,
  runnerFinishedAtMs: 1,
  summary: '',
});

/** From creation until the attempt waits for a runner. */
export const untilQueued = (runId: string): DomainEvent[] => [
  { type: 'run.created', data: { runId, repository, change, policy: DEFAULT_RUN_POLICY, rerun: null } },
  { type: 'run.planning-started', data: { deadlineAtMs: LATER_MS } },
  {
    type: 'run.planned',
    data: {
      planDigest: digest,
      policy: DEFAULT_RUN_POLICY,
      jobs: [{ key: JOB, needs: [], policy: DEFAULT_JOB_POLICY, requirements: job.requirements }],
      summary: plan.summary,
      deadlineAtMs: LATER_MS,
    },
  },
  { type: 'job.readied', data: { jobKey: JOB } },
  {
    type: 'attempt.queued',
    data: {
      ...attempt,
      pool: 'default',
      priority: 0,
      requirements: job.requirements,
      queueDeadlineAtMs: LATER_MS,
      retryOf: null,
    },
  },
];

/** A runner has taken the attempt. */
export const leased = (leaseId: string, runnerId: string): DomainEvent[] => [
  { type: 'run.started', data: {} },
  {
    type: 'lease.granted',
    data: { ...attempt, fence: 1, leaseHash: leaseHashOf(leaseId), runnerId, expiresAtMs: LATER_MS },
  },
  { type: 'lease.activated', data: { ...attempt, fence: 1, jobDeadlineAtMs: LATER_MS } },
];

/** The attempt has succeeded, and with it the run. */
export const finished = (): DomainEvent[] => [
  {
    type: 'attempt.finished',
    data: { ...attempt, outcome: 'succeeded', failureClass: null, reason: 'it succeeded', report: report() },
  },
  { type: 'job.finished', data: { jobKey: JOB, outcome: 'succeeded', reason: 'it succeeded' } },
  { type: 'run.finished', data: { outcome: 'succeeded', reason: 'all jobs succeeded' } },
];

export const recordedArtifact = (name: string, of: string, sizeBytes: number): DomainEvent => ({
  type: 'artifact.recorded',
  data: { ...attempt, artifact: { name, type: 'file', digest: of, sizeBytes, retentionDays: 7 } },
});

/** Appends the whole story up to a runner at work. */
export async function aRunAtWork(
  gateway: TestGateway,
  leaseId: string,
  runnerId: string,
  runId = RUN_ID,
): Promise<void> {
  await gateway.append(runStream(runId), [...untilQueued(runId), ...leased(leaseId, runnerId)], [PROPOSED]);
}
