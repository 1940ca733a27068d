import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_RUN_POLICY,
  stepKey,
  type CompletionReport,
  type JobStep,
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
  createDebugRun,
  createRun,
  leaseHashOf,
  runIdOf,
  runSubmission,
  runnerIdOf,
} from '../testing/run-story.fixture.ts';
import { RecalledDurations } from './recalled-durations.ts';

const INSTALL: JobStep = { name: 'install', run: 'npm ci', workdir: '.' };
const TEST: JobStep = { name: 'test packages/cart', run: 'npm test', workdir: 'packages/cart' };
const shard = (number: number): JobStep => ({
  name: 'test packages/web',
  run: `npm test -- --shard=${number}/2`,
  workdir: 'packages/web',
  share: { of: 'the suite', number, count: 2 },
});

const PLANNED = {
  type: 'record-plan',
  policy: DEFAULT_RUN_POLICY,
  summary: 'a plan',
  inputsDigest: null,
} as const;

interface Told {
  readonly repository?: string;
  readonly trust?: TrustLevel;
  readonly outcome?: 'succeeded' | 'failed';
  readonly create?: typeof createRun;
  readonly jobs: readonly { readonly steps: readonly JobStep[]; readonly ms: readonly number[] }[];
}

describe('durations recalled from the tables', () => {
  let log: FreshLog;
  let writer: LogWriter;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
  });
  afterAll(async () => log.drop());

  const reportOf = (steps: readonly JobStep[], ms: readonly number[], outcome: 'succeeded' | 'failed') =>
    aReport(outcome, {
      steps: ms.map((wallMs, at): CompletionReport['steps'][number] => ({
        name: steps[at]?.name ?? 'another',
        exitCode: outcome === 'succeeded' ? 0 : 1,
        signal: null,
        timedOut: false,
        oomKilled: false,
        usage: { wallMs, cpuMs: null, memoryPeakBytes: null },
        logRange: { from: 0, to: 0 },
      })),
    });

  /** A run from its creation to its end, with everything the tables keep of it. */
  async function ranAs(name: string, told: Told) {
    const { repository = 'widgets', trust = 'trusted', outcome = 'succeeded', create = createRun, jobs } = told;
    const runId = runIdOf(name);
    const keys = jobs.map((_, at) => `job-${at}`);
    const plan = proposed(
      aPlan({
        repository: REPOSITORY,
        change: CHANGE,
        jobs: jobs.map(({ steps }, at) => aPlannedJob(`job-${at}`, { steps: [...steps] })),
      }),
    );
    const place = { ...REPOSITORY, id: `local/demo/${repository}` };
    await tell(runId, `${name}.create`, create(runId, place, { ...CHANGE, trust }));
    const planned: RunCommand = { ...PLANNED, jobs: keys.map((key) => aJobState(key)), planDigest: plan.digest };
    const submission = runSubmission(`${name}.plan`, runId, planned);
    await writer.submit({ ...submission, decide: (view) => ({ ...submission.decide(view), plans: [plan] }) });
    for (const [at, { steps, ms }] of jobs.entries()) {
      const lease = { leaseHash: leaseHashOf(`${name} ${at}`), runnerId: runnerIdOf(`${name} ${at}`) };
      const granted = { type: 'grant-lease', jobKey: `job-${at}`, attempt: 1, ...lease } as const;
      await tell(runId, `${name}.${at}.grant`, granted);
      await tell(runId, `${name}.${at}.acknowledge`, { type: 'acknowledge-lease', ...lease });
      const report = reportOf(steps, ms, outcome);
      await tell(runId, `${name}.${at}.complete`, { type: 'complete-attempt', ...lease, report });
    }
  }

  async function tell(runId: RunId, id: string, command: RunCommand): Promise<void> {
    expect(await writer.submit(runSubmission(id, runId, command))).toMatchObject({ ok: true });
  }

  const recalled = async (repository: string) =>
    (await new RecalledDurations(log.orchestrator).recall(`local/demo/${repository}`)).steps;

  it('given runs that succeeded, then each step is known by what it runs, with how often it was measured', async () => {
    await ranAs('first', { jobs: [{ steps: [INSTALL, TEST], ms: [8_000, 1_000] }] });
    await ranAs('second', { jobs: [{ steps: [INSTALL, TEST], ms: [8_000, 1_000] }] });
    expect(await recalled('widgets')).toEqual({
      [stepKey(INSTALL)]: { ms: 8_000, runs: 2 },
      [stepKey(TEST)]: { ms: 1_000, runs: 2 },
    });
  });

  it('given somebody who asks again, then only what finished since is added, and whoever asks anew hears the same', async () => {
    const durations = new RecalledDurations(log.orchestrator);
    await ranAs('third', { repository: 'again', jobs: [{ steps: [TEST], ms: [1_000] }] });
    expect((await durations.recall('local/demo/again')).steps).toEqual({ [stepKey(TEST)]: { ms: 1_000, runs: 1 } });
    await ranAs('fourth', { repository: 'again', jobs: [{ steps: [TEST], ms: [4_000] }] });
    const [one, other] = await Promise.all([
      durations.recall('local/demo/again'),
      durations.recall('local/demo/again'),
    ]);
    expect(one.steps).toEqual({ [stepKey(TEST)]: { ms: 1_000, runs: 2 } });
    expect(other).toEqual(one);
    expect(await recalled('again')).toEqual(one.steps);
  });

  it('given shards of a suite, then their sum is what the suite takes', async () => {
    const jobs = [shard(1), shard(2)].map((step, at) => ({ steps: [step], ms: [3_000 + at * 2_000] }));
    await ranAs('sharded', { repository: 'shards', jobs });
    expect(await recalled('shards')).toEqual({ 'the suite': { ms: 8_000, runs: 1 } });
  });

  it('given strangers, failures, runs for debugging and reports of other steps than were planned, then nothing is learned of them', async () => {
    const jobs = [{ steps: [TEST], ms: [1] }];
    await ranAs('stranger', { repository: 'none', trust: 'untrusted', jobs });
    await ranAs('failure', { repository: 'none', outcome: 'failed', jobs });
    await ranAs('debugged', { repository: 'none', create: createDebugRun, jobs });
    await ranAs('short', { repository: 'none', jobs: [{ steps: [INSTALL, TEST], ms: [1] }] });
    expect(await recalled('none')).toEqual({});
    expect(await recalled('unheard-of')).toEqual({});
  });
});
