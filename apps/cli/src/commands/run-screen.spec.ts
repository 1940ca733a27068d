import { describe, expect, it } from '@jest/globals';
import type { FailureExplanation, PlannedJob } from '@delta-ci/contracts';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { aPlannedJob, because } from '../../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import { expectGolden } from '../golden.fixture.ts';
import type { LocalOutcome } from '../local/run-jobs.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';
import { planText, whyText } from '../screen/show-plan.ts';
import { jsonLines, readable, type PlannedRun, type RunScreen } from './run-screen.ts';

const ID = 'a'.repeat(40);
const HOSTILE = 'lint\u001b[2J\u202e';

const jobOf = (key: string, over: Partial<PlannedJob> = {}): PlannedJob =>
  aPlannedJob(key, {
    requirements: { pool: 'local', os: 'linux', isolation: 'sandbox', toolchains: [], labels: [] },
    explanation: because('run', `${key} runs because it was asked for.`, 'all'),
    ...over,
  });
const JOBS = [jobOf('test-cart'), jobOf('build', { egress: { allow: ['registry.example.test'] } })];

const PLAN = aPlan({
  repository: aRepository({ id: 'local/checkout/shop', forge: 'local', fullName: 'shop', cloneUrl: '/shop' }),
  change: aChange({ kind: 'manual', head: ID, title: '', author: 'local' }),
  tree: ID,
  jobs: JOBS,
  skipped: [
    {
      key: 'test-greeting',
      title: HOSTILE,
      kind: 'test',
      unit: null,
      explanation: {
        decision: 'skip',
        chain: [{ kind: 'rule', rule: 'unreached', detail: HOSTILE }],
        sentence: `test-greeting is skipped: nothing of ${HOSTILE} changed.`,
      },
    },
  ],
  notes: [{ severity: 'warning', code: 'odd', message: `odd ${HOSTILE}`, subject: null }],
  summary: '1 file changed. 2 of 3 jobs run.',
});

const FAILURE: FailureExplanation = {
  class: 'user',
  category: 'test',
  confidence: 'high',
  headline: '1 of 2 tests failed: an empty cart costs nothing',
  sentences: [
    { text: "It expected '0.00' and got '0'.", evidence: [{ kind: 'log', lines: { from: 22, to: 39 }, text: 'x' }] },
  ],
  location: { path: 'test/cart.test.js', line: 5 },
  failedTests: [{ name: HOSTILE, suite: 'cart', message: 'expected\nmore', path: 'test/cart.test.js', line: 5 }],
  rules: [],
  nextStep: 'Start reading at test/cart.test.js:5.',
  incomplete: ['the log was cut'],
};

const PLACE = { port: 443, count: 1, sentBytes: 10, receivedBytes: 2_000 };

const OUTCOMES: readonly LocalOutcome[] = [
  {
    key: 'test-cart',
    outcome: 'failed',
    notJudged: null,
    durationMs: 1_234,
    reason: 'step "test" ended with exit code 1',
    result: null,
    caches: [
      { key: 'npm-1', hit: true, restored: { domain: 'trusted', sizeBytes: 1_024, contentBytes: 4_096, tookMs: 20 } },
    ],
    artifacts: [],
    unmatched: ['reports/*.xml', `${HOSTILE}/*`],
    egress: null,
    explanation: FAILURE,
  },
  {
    key: 'build',
    outcome: 'failed',
    notJudged: { code: 'internal', message: 'no disk' },
    durationMs: 185_000,
    reason: 'no disk',
    result: null,
    caches: [{ key: `npm-${HOSTILE}`, hit: false }],
    artifacts: [{ name: 'dist/app.js', type: 'file', sizeBytes: 2_048 }],
    unmatched: [],
    egress: [
      { ...PLACE, host: 'registry.example.test', decision: 'allowed', reason: null },
      { ...PLACE, host: 'evil.example.test', decision: 'refused', reason: 'not-listed' },
      { ...PLACE, host: 'own.example.test', decision: 'refused', reason: 'private-address', address: '10.20.0.8' },
    ],
    explanation: null,
  },
];

const RUN: PlannedRun = {
  plan: PLAN,
  digest: `sha256:${'0'.repeat(64)}`,
  jobs: JOBS,
  network: 'plan',
  unsandboxed: false,
  artifactDir: null,
  comparedText: 'Compared: the working tree with bbbbbbbb (the merge base with main).',
};

function play(screen: RunScreen): void {
  screen.planned(RUN);
  screen.equipped([
    { name: 'node', path: '/usr/bin/node', version: '24.1.0' },
    { name: 'python', path: '/usr/bin/python3', version: null },
    { name: 'go', path: '/opt/go\u001b[2J/bin/go', version: '1.26' },
  ]);
  for (const [index, job] of JOBS.entries()) {
    screen.started(job);
    const lines = screen.outputOf(job);
    lines.write(Buffer.from('first\n\u001b[31mred\u001b[0m \u001b]0;owned\u0007\nlast'));
    lines.end();
    const outcome = OUTCOMES[index];
    if (outcome !== undefined) screen.finished(job, outcome);
  }
  screen.ended(RUN, { outcome: 'failed', exitCode: 1, durationMs: 190_000, outcomes: OUTCOMES });
}

describe('what a run looks like', () => {
  it('for people', () => {
    const { surroundings, out } = recorded('/');
    play(readable(surroundings));
    expectGolden('run', out());
  });

  it('on a narrow terminal', () => {
    const { surroundings, out } = recorded('/', {}, 72);
    play(readable(surroundings));
    expectGolden('run-72-columns', out());
  });

  it('for programs', () => {
    const { surroundings, out } = recorded('/');
    play(jsonLines(surroundings));
    expectGolden('run-json', out());
  });
});

describe('what is said of artifacts', () => {
  it('given a directory for them, then that they are there', () => {
    const { surroundings, out } = recorded('/');
    const ended = { outcome: 'failed', exitCode: 1, durationMs: 1, outcomes: OUTCOMES } as const;
    readable(surroundings).ended({ ...RUN, artifactDir: '/home/\u001b[2Jme/out' }, ended);
    expect(out()).toContain('1 artifact (2.0 KiB) in /home/␛[2Jme/out, a folder for each job.\n');
  });
});

describe('what is said of the network before jobs run', () => {
  it('tells jobs that may reach any public host from those that reach what their plan names', () => {
    const { surroundings, out } = recorded('/');
    const jobs = [...JOBS, jobOf('fetch', { egress: { allow: ['*'] } })];
    readable(surroundings).planned({ ...RUN, jobs });
    expect(out()).toContain('1 job may reach the hosts that the plan names and no others; --no-network');
    expect(out()).toMatch(/these too: build\n1 job may reach any public host, [^\n]*: fetch\n/u);
  });
});

describe('what a plan looks like', () => {
  it('as a whole, and why something is in or out', () => {
    const { surroundings } = recorded('/', {}, 100);
    expectGolden('plan', planText(surroundings, PLAN));
    const [skipped] = PLAN.skipped;
    if (skipped === undefined) throw new Error('the plan skips a job');
    const { explanation } = skipped;
    expectGolden('why-not', whyText(surroundings, { subject: { kind: 'job', id: skipped.key }, explanation }));
  });
});
