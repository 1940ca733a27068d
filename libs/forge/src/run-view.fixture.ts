import type { AttemptView, Change, FailureExplanation, JobView, RunView } from '@delta-ci/contracts';

/** Views of runs as the read model gives them, with times of their own. */

const START_MS = 1_763_640_000_000;

const change: Change = {
  kind: 'pull_request',
  ref: 'refs/pull/7/head',
  base: 'a'.repeat(40),
  head: 'b'.repeat(40),
  targetRef: 'refs/heads/main',
  pullRequest: 7,
  title: 'Add a cart',
  author: 'ada',
  trust: 'trusted',
};

export const explanation: FailureExplanation = {
  class: 'user',
  category: 'test',
  confidence: 'high',
  headline: 'The sum of the cart is wrong',
  sentences: [
    {
      text: 'One assertion failed in cart.test.js.',
      evidence: [
        { kind: 'log', lines: { from: 41, to: 43 }, text: 'not ok 3 - adds up\n  expected: 2\n  actual: 3' },
        { kind: 'exit', lines: null, text: 'exit code 1' },
      ],
    },
  ],
  location: { path: 'packages/cart/cart.test.js', line: 12 },
  failedTests: [
    {
      name: 'adds up',
      suite: 'cart',
      message: 'expected 2, received 3',
      path: 'packages/cart/cart.test.js',
      line: 12,
    },
  ],
  rules: ['tap-not-ok'],
  nextStep: 'Look at packages/cart/cart.test.js, line 12.',
  incomplete: [],
};

export const attemptOf = (over: Partial<AttemptView> = {}): AttemptView => ({
  attempt: 1,
  state: 'finished',
  outcome: 'succeeded',
  failureClass: null,
  reason: 'all steps succeeded',
  runnerId: null,
  pool: 'default',
  queuedAtMs: START_MS + 1_000,
  leasedAtMs: START_MS + 1_500,
  startedAtMs: START_MS + 2_000,
  finishedAtMs: START_MS + 14_000,
  report: null,
  artifacts: [],
  explanation: null,
  ...over,
});

export const jobOf = (key: string, over: Partial<JobView> = {}): JobView => ({
  key,
  title: `${key} of the cart`,
  kind: 'test',
  unit: 'packages/cart',
  needs: [],
  required: true,
  shadow: false,
  state: 'finished',
  outcome: 'succeeded',
  reason: 'all steps succeeded',
  sentence: 'packages/cart/cart.js changed, and packages/cart is built from it.',
  attempts: [attemptOf()],
  ...over,
});

export const failedJob = (key: string, over: Partial<FailureExplanation> = {}): JobView =>
  jobOf(key, {
    outcome: 'failed',
    reason: 'step test ended with exit code 1',
    attempts: [
      attemptOf({
        outcome: 'failed',
        failureClass: 'user',
        reason: 'step test ended with exit code 1',
        explanation: { ...explanation, ...over },
        report: {
          outcome: 'failed',
          exitCode: 1,
          signal: null,
          steps: [
            {
              name: 'test',
              exitCode: 1,
              signal: null,
              timedOut: false,
              oomKilled: false,
              usage: { wallMs: 11_000, cpuMs: null, memoryPeakBytes: null },
              logRange: { from: 0, to: 900 },
            },
          ],
          usage: { wallMs: 12_000, cpuMs: null, memoryPeakBytes: null },
          artifacts: [],
          caches: [],
          infrastructureError: null,
          logBytes: 900,
          logTruncated: false,
          runnerStartedAtMs: 0,
          runnerFinishedAtMs: 12_000,
          summary: '',
        },
      }),
    ],
  });

export const viewOf = (over: Partial<RunView> = {}): RunView => ({
  runId: `run_${'1'.repeat(32)}`,
  repository: {
    id: 'github/demo/shop',
    forge: 'github',
    fullName: 'demo/shop',
    cloneUrl: 'https://forge.example/demo/shop.git',
    defaultBranch: 'main',
  },
  change,
  actor: { kind: 'forge-user', name: 'ada' },
  state: 'finished',
  outcome: 'succeeded',
  reason: 'all jobs succeeded',
  createdAtMs: START_MS,
  startedAtMs: START_MS + 1_500,
  finishedAtMs: START_MS + 75_000,
  reported: false,
  supersededBy: null,
  rerun: null,
  planDigest: `sha256:${'d'.repeat(64)}`,
  summary: '2 of 3 jobs run: packages/cart changed.',
  jobCounts: {},
  position: 40,
  jobs: [jobOf('lint'), jobOf('unit')],
  skipped: [{ key: 'docs', title: 'docs', unit: 'docs', sentence: 'Nothing that docs is built from changed.' }],
  planning: null,
  publications: [],
  checkpoint: null,
  ...over,
});

export const failedView = (): RunView =>
  viewOf({ outcome: 'failed', reason: 'unit failed', jobs: [jobOf('lint'), failedJob('unit')] });

export const unplannedView = (): RunView =>
  viewOf({
    outcome: 'failed',
    reason: 'no plan could be made',
    planDigest: null,
    summary: '',
    jobs: [],
    skipped: [],
    planning: { code: 'config_invalid', message: 'delta.yml:3: unknown key "stepz", did you mean "steps"?' },
  });
