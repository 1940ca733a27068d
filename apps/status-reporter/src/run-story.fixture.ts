import { createHash } from 'node:crypto';
import {
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  canonicalJson,
  type Change,
  type CompletionReport,
  type DomainEvent,
  type Explanation,
  type FailureExplanation,
  type Json,
  type Plan,
  type PlannedJob,
  type ProposedPlan,
  type Repository,
  type RunId,
} from '@delta-ci/contracts';

/** A run of one job that runs and one that is skipped, as the orchestrator would record it. */

export const HEAD = 'b'.repeat(40);
/** Far enough from any test's end. */
const LATER_MS = 4_000_000_000_000;

export const runIdOf = (name: string): RunId => `run_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;

const repositoryOf = (forge: string): Repository => ({
  id: `${forge}/demo/shop`,
  forge: 'github',
  fullName: 'demo/shop',
  cloneUrl: 'https://forge.example/demo/shop.git',
  defaultBranch: 'main',
});

const change: Change = {
  kind: 'push',
  ref: 'refs/heads/main',
  base: 'a'.repeat(40),
  head: HEAD,
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
  key: 'unit',
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
  repository: repositoryOf('github'),
  change,
  commit: HEAD,
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
  units: [],
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

const attempt = { jobKey: 'unit', attempt: 1 };

/** @param forge the name of the forge that the repository is at */
export const created = (runId: RunId, forge = 'github'): DomainEvent[] => [
  {
    type: 'run.created',
    data: { runId, repository: repositoryOf(forge), change, policy: DEFAULT_RUN_POLICY, rerun: null },
  },
  { type: 'run.planning-started', data: { deadlineAtMs: LATER_MS } },
];

export const planned = (): DomainEvent[] => [
  {
    type: 'run.planned',
    data: {
      planDigest: digest,
      policy: DEFAULT_RUN_POLICY,
      jobs: [{ key: 'unit', needs: [], policy: DEFAULT_JOB_POLICY, requirements: job.requirements }],
      summary: plan.summary,
      deadlineAtMs: LATER_MS,
    },
  },
  { type: 'job.readied', data: { jobKey: 'unit' } },
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

export const started = (runId: RunId): DomainEvent[] => [
  { type: 'run.started', data: {} },
  {
    type: 'lease.granted',
    data: {
      ...attempt,
      fence: 1,
      leaseHash: createHash('sha256').update(runId).digest('hex'),
      runnerId: `rnr_${runId.slice('run_'.length)}`,
      expiresAtMs: LATER_MS,
    },
  },
  { type: 'lease.activated', data: { ...attempt, fence: 1, jobDeadlineAtMs: LATER_MS } },
  { type: 'attempt.started', data: attempt },
];

const reportOf = (outcome: 'succeeded' | 'failed'): CompletionReport => ({
  outcome,
  exitCode: outcome === 'succeeded' ? 0 : 1,
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

export const finished = (outcome: 'succeeded' | 'failed'): DomainEvent[] => [
  {
    type: 'attempt.finished',
    data: {
      ...attempt,
      outcome,
      failureClass: outcome === 'failed' ? 'user' : null,
      reason: `it ${outcome}`,
      report: reportOf(outcome),
    },
  },
  { type: 'job.finished', data: { jobKey: 'unit', outcome, reason: `it ${outcome}` } },
  { type: 'run.finished', data: { outcome, reason: `unit ${outcome}` } },
];

/** @param tests how many tests failed, each at a line of its own */
export const explained = (tests: number): DomainEvent => ({
  type: 'failure.explained',
  data: { ...attempt, explanation: explanationOf(tests) },
});

const explanationOf = (tests: number): FailureExplanation => ({
  class: 'user',
  category: 'test',
  confidence: 'high',
  headline: `${tests} tests of the cart failed`,
  sentences: [{ text: 'A sum differs.', evidence: [] }],
  location: null,
  failedTests: Array.from({ length: tests }, (_, index) => ({
    name: `adds ${index}`,
    suite: 'cart',
    message: 'expected 2, received 3',
    path: 'packages/cart/cart.test.js',
    line: index + 1,
  })),
  rules: [],
  nextStep: 'Look at the first test.',
  incomplete: [],
});
