import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_JOB_POLICY,
  DEFAULT_RUN_POLICY,
  type JobPolicy,
  type RunId,
  type TrustLevel,
} from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aPlan, proposed } from '../../../../test/support/made-up/plan.ts';
import { aJobState, aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import type { LogWriter } from '../append/log-writer.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  CHANGE,
  REPOSITORY,
  createRun,
  leaseHashOf,
  runIdOf,
  runSubmission,
  runnerIdOf,
} from '../testing/run-story.fixture.ts';
import { whatDidPlansLeaveOut } from './what-did-plans-leave-out.ts';
import { whatDidShadowsFind } from './what-did-shadows-find.ts';

const SHADOW: JobPolicy = {
  ...DEFAULT_JOB_POLICY,
  required: false,
  allowFailure: true,
  priority: -100,
  leftOut: { by: ['ownership'], as: 'shadow' },
};
const LEFT_OUT = {
  rules: { rate: 1, escapeRateMax: 0.05, samplesMin: 100 },
  sample: 'taken' as const,
  by: ['ownership'],
  jobs: 1,
  unmeasured: 0,
  ms: 90_000,
  off: [],
};

/** `broken`: for want of what the runner should have given it. */
type End = 'succeeded' | 'failed' | 'broken';
type Ends = readonly End[];

describe('what shadows found', () => {
  let log: FreshLog;
  let writer: LogWriter;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
  });
  afterAll(async () => log.drop());

  async function tell(runId: RunId, id: string, command: RunCommand): Promise<void> {
    expect(await writer.submit(runSubmission(id, runId, command))).toMatchObject({ ok: true });
  }

  /** A run of one selected job and one shadow, each with how its attempts end. */
  async function ranAs(name: string, selected: Ends, shadow: Ends, trust: TrustLevel = 'trusted'): Promise<void> {
    const runId = runIdOf(name);
    const jobs = [aJobState('selected'), { ...aJobState('shadow'), policy: SHADOW }];
    const plan = proposed({
      ...aPlan({
        repository: REPOSITORY,
        change: CHANGE,
        jobs: [aPlannedJob('selected'), aPlannedJob('shadow', { policy: SHADOW })],
      }),
      shadow: LEFT_OUT,
      // Text of strangers: what JSON may hold and the database's own type of it may not.
      summary: `${name}\u0000`,
    });
    await tell(runId, `${name}.create`, createRun(runId, REPOSITORY, { ...CHANGE, trust }));
    const submission = runSubmission(`${name}.plan`, runId, {
      type: 'record-plan',
      policy: { ...DEFAULT_RUN_POLICY, failFast: false },
      summary: 'a plan',
      inputsDigest: null,
      jobs,
      planDigest: plan.digest,
    });
    await writer.submit({ ...submission, decide: (view) => ({ ...submission.decide(view), plans: [plan] }) });
    for (const [jobKey, outcome, attempt] of [...attemptsOf('selected', selected), ...attemptsOf('shadow', shadow)]) {
      const id = `${name}.${jobKey}.${attempt}`;
      const lease = { leaseHash: leaseHashOf(id), runnerId: runnerIdOf(id) };
      await tell(runId, `${id}.grant`, { type: 'grant-lease', jobKey, attempt, ...lease });
      await tell(runId, `${id}.acknowledge`, { type: 'acknowledge-lease', ...lease });
      await tell(runId, `${id}.complete`, { type: 'complete-attempt', ...lease, report: reportOf(outcome) });
    }
  }

  const reportOf = (end: End) =>
    end === 'broken'
      ? aReport('failed', { infrastructureError: { code: 'internal', message: 'no disk' } })
      : aReport(end, {});
  const attemptsOf = (key: string, ends: Ends) => ends.map((outcome, at) => [key, outcome, at + 1] as const);

  it('given samples, then each says what was selected came to, and how often its shadows failed', async () => {
    await ranAs('clean', ['succeeded'], ['succeeded']);
    await ranAs('escaped', ['succeeded'], ['failed', 'failed']);
    await ranAs('unstable', ['succeeded'], ['failed', 'succeeded']);
    await ranAs('caught', ['failed'], ['failed', 'failed']);
    await ranAs('broken', ['broken', 'broken'], ['failed', 'failed']);
    const { leftOut } = SHADOW;
    const samples = await whatDidShadowsFind(log.orchestrator, REPOSITORY.id);
    expect(samples.map(({ selected, jobs }) => [selected, jobs])).toEqual([
      ['passed', [{ key: 'shadow', leftOut, outcome: 'succeeded', failures: 0 }]],
      ['passed', [{ key: 'shadow', leftOut, outcome: 'failed', failures: 2 }]],
      ['passed', [{ key: 'shadow', leftOut, outcome: 'succeeded', failures: 1 }]],
      ['failed', [{ key: 'shadow', leftOut, outcome: 'failed', failures: 2 }]],
      ['undecided', [{ key: 'shadow', leftOut, outcome: 'failed', failures: 2 }]],
    ]);
    expect(new Set(samples.map(({ commit }) => commit))).toEqual(new Set([CHANGE.head]));
    const [first, second] = samples;
    expect(await whatDidShadowsFind(log.orchestrator, REPOSITORY.id, first ?? null)).toEqual(samples.slice(1));
    expect(second?.finishedAtMs).toBeGreaterThanOrEqual(first?.finishedAtMs ?? 0);
  });

  it('given strangers, other repositories and runs without any, then none of them is a sample', async () => {
    const before = await whatDidShadowsFind(log.orchestrator, REPOSITORY.id);
    await ranAs('stranger', ['succeeded'], ['succeeded'], 'untrusted');
    expect(await whatDidShadowsFind(log.orchestrator, REPOSITORY.id)).toEqual(before);
    expect(await whatDidShadowsFind(log.orchestrator, 'local/demo/other')).toEqual([]);
  });

  it('given plans, then what they left out is told, the newest first', async () => {
    const told = await whatDidPlansLeaveOut(log.orchestrator, REPOSITORY.id);
    expect(told[0]).toEqual(LEFT_OUT);
    expect(await whatDidPlansLeaveOut(log.orchestrator, 'local/demo/other')).toEqual([]);
  });
});
