import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CHECKPOINT_STREAM,
  RunPage,
  RunView,
  poolStream,
  repositoryStream,
  runnerStream,
  type Change,
  type DomainEvent,
  type RunId,
  type StreamId,
} from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import type { LogWriter } from '../append/log-writer.ts';
import type { Submission } from '../append/submission.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { EXPLANATION, planOf } from '../testing/plan.fixture.ts';
import {
  CHANGE,
  OPERATOR,
  REPOSITORY,
  createRun,
  digestOf,
  leaseHashOf,
  recordPlan,
  runIdOf,
  runSubmission,
  runnerIdOf,
  simpleRun,
} from '../testing/run-story.fixture.ts';
import { LogReader } from '../read/log-reader.ts';
import { findLease } from './find-lease.ts';
import { findPlan } from './find-plan.ts';
import { findRepository } from './find-repository.ts';
import { findRunner } from './find-runner.ts';
import { howDoRunnersStand } from './how-do-runners-stand.ts';
import { listPoolDecisions, listPools } from './list-pools.ts';
import { listRuns } from './list-runs.ts';
import { showRun } from './show-run.ts';
import { whatDoesThePoolNeed } from './what-does-the-pool-need.ts';
import { whichAttemptsWait } from './which-attempts-wait.ts';
import { whichLeasesDoesTheRunnerHold } from './which-leases-does-the-runner-hold.ts';
import { whichRunsAreDue } from './which-runs-are-due.ts';

describe('the named queries', () => {
  let log: FreshLog;
  let writer: LogWriter;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
  });
  afterAll(() => log.drop());

  let told = 0;
  const accept = async (submission: Submission) => expect(await writer.submit(submission)).toMatchObject({ ok: true });
  const tell = (runId: RunId, command: RunCommand) => accept(runSubmission(`c-${++told}`, runId, command));
  const record = (stream: StreamId, event: DomainEvent) => {
    const answer = { ok: true, result: {} } as const;
    const decide = () => ({ appends: [{ stream, events: [event] }], answer });
    return accept({ id: `e-${++told}`, actor: OPERATOR, traceparent: null, causation: 'test', runs: [], decide });
  };
  const changed = (more: Partial<Change>): Change => ({ ...CHANGE, ...more });
  const repository = (name: string) => ({ ...REPOSITORY, id: `local/demo/${name}`, fullName: `demo/${name}` });

  it('show under which checkpoint a run is: the first that covers its newest record', async () => {
    const runId = runIdOf('signed');
    await tell(runId, createRun(runId));
    const { position } = await new LogReader(log.reader).head();
    const checkpointAt = (at: number) => ({
      position: at,
      hash: 'a'.repeat(64),
      unfinished: digestOf('nothing'),
      time: '2026-11-20T10:00:00.000Z',
      keyId: 'c'.repeat(32),
      signature: `${'A'.repeat(86)}==`,
    });
    const covering = async () => (await showRun(log.reader, runId))?.checkpoint;

    await record(CHECKPOINT_STREAM, { type: 'checkpoint.signed', data: checkpointAt(position - 1) });
    expect(await covering()).toBeNull();
    await record(CHECKPOINT_STREAM, { type: 'checkpoint.signed', data: checkpointAt(position) });
    await record(CHECKPOINT_STREAM, { type: 'checkpoint.signed', data: checkpointAt(position + 1) });
    const { time, keyId } = checkpointAt(position);
    expect(await covering()).toEqual({ position, time, keyId });
    await tell(runId, { type: 'cancel-run', reason: 'no more' });
    expect(await covering()).toBeNull();
  });

  it('show a run with its plan, attempts, artifacts, explanation and publications', async () => {
    const runId = runIdOf('shown');
    const lease = { leaseHash: leaseHashOf('shown'), runnerId: runnerIdOf('shown') };
    const proposed = planOf(['unit', 'lint'], ['docs']);
    const plan = recordPlan([aJobState('unit'), aJobState('lint', { needs: ['unit'] })]);
    await tell(runId, createRun(runId));
    const planned = runSubmission('shown.plan', runId, { ...plan, planDigest: proposed.digest } as RunCommand);
    await accept({ ...planned, decide: (view) => ({ ...planned.decide(view), plans: [proposed] }) });
    await tell(runId, { type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease });
    await tell(runId, { type: 'acknowledge-lease', ...lease });
    const artifact = { name: 'r.xml', type: 'junit', digest: digestOf('r'), sizeBytes: 5, retentionDays: 7 } as const;
    await tell(runId, { type: 'record-artifact', ...lease, artifact });
    await tell(runId, { type: 'complete-attempt', ...lease, report: aReport('failed', { artifacts: [artifact] }) });
    await tell(runId, { type: 'record-explanation', jobKey: 'unit', attempt: 1, explanation: EXPLANATION });
    const publication = { target: 'check:delta-ci', externalId: '1', digest: digestOf('p'), detail: '', final: null };
    await tell(runId, { type: 'record-publication', data: { ...publication, viewPosition: 9, status: 'published' } });
    await tell(runId, { type: 'record-publication', data: { ...publication, viewPosition: 4, status: 'refused' } });

    const view = RunView.parse(await showRun(log.reader, runId));

    expect(view).toMatchObject({ runId, state: 'finished', outcome: 'failed', planDigest: proposed.digest });
    expect(view.position).toBe((await new LogReader(log.reader).head()).position);
    expect(
      view.jobs.map(({ key, title, sentence, state, outcome }) => ({ key, title, sentence, state, outcome })),
    ).toEqual([
      { key: 'unit', title: 'Job unit', sentence: 'unit runs', state: 'finished', outcome: 'failed' },
      { key: 'lint', title: 'Job lint', sentence: 'lint runs', state: 'finished', outcome: view.jobs[1]?.outcome },
    ]);
    expect(view.jobs[0]?.attempts).toMatchObject([
      {
        attempt: 1,
        state: 'finished',
        outcome: 'failed',
        runnerId: lease.runnerId,
        artifacts: [artifact],
        explanation: EXPLANATION,
      },
    ]);
    expect(view.skipped).toEqual([{ key: 'docs', title: 'Job docs', unit: null, sentence: 'docs does not run' }]);
    expect(view.publications).toEqual([
      {
        target: 'check:delta-ci',
        status: 'published',
        viewPosition: 9,
        externalId: '1',
        digest: digestOf('p'),
        final: null,
      },
    ]);
    expect(await findPlan(log.reader, proposed.digest)).toEqual(proposed.plan);
    expect(await showRun(log.reader, runIdOf('nobody'))).toBeNull();
    expect(await findPlan(log.reader, digestOf('nothing'))).toBeNull();
  });

  it('list runs newest first, page by page, by repository, ref, state, outcome and actor', async () => {
    const names = ['l1', 'l2', 'l3', 'l4', 'l5'];
    for (const [index, name] of names.entries()) {
      const ref = index === 2 ? 'refs/heads/other' : 'refs/heads/main';
      await tell(runIdOf(name), createRun(runIdOf(name), repository('listed'), changed({ ref })));
    }
    await tell(runIdOf('l1'), { type: 'cancel-run', reason: 'not needed' });
    const list = async (query: object) => {
      const page = await listRuns(log.reader, { limit: 50, repository: 'local/demo/listed', ...query });
      return RunPage.parse(page);
    };
    const idsOf = (page: RunPage) => page.runs.map((run) => run.runId);
    const ids = names.map(runIdOf).reverse();

    const first = await list({ limit: 2 });
    const second = await list({ limit: 2, cursor: first.nextCursor });
    const third = await list({ limit: 2, cursor: second.nextCursor });

    expect([first, second, third].map(idsOf)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
    expect(third.nextCursor).toBeNull();
    expect(idsOf(await list({ ref: 'refs/heads/other' }))).toEqual([runIdOf('l3')]);
    expect(idsOf(await list({ state: 'canceled' }))).toEqual([runIdOf('l1')]);
    expect(idsOf(await list({ state: 'planning' }))).toEqual(ids.slice(0, 4));
    expect(idsOf(await list({ actor: OPERATOR.name }))).toEqual(ids);
    expect(idsOf(await list({ actor: 'nobody' }))).toEqual([]);
    expect(await listRuns(log.reader, { limit: 2, cursor: 'not one of ours' })).toBeNull();
  });

  it('count the jobs of a listed run by their standing', async () => {
    const runId = runIdOf('counted');
    await tell(runId, createRun(runId, repository('counted')));
    await tell(runId, recordPlan([aJobState('a'), aJobState('b'), aJobState('c', { needs: ['a'] })]));

    const page = await listRuns(log.reader, { limit: 1, repository: 'local/demo/counted' });
    expect(page?.runs[0]?.jobCounts).toEqual({ active: 2, blocked: 1 });
  });

  it('know what waits in a pool, who could take it, and who holds what', async () => {
    const pool = 'demand';
    const job = { ...aJobState('unit'), requirements: { ...aJobState('unit').requirements, pool } };
    const [runId, lease] = [runIdOf('demand'), { leaseHash: leaseHashOf('demand'), runnerId: runnerIdOf('busy') }];
    for (const name of ['busy', 'idle', 'gone']) {
      const runnerId = runnerIdOf(name);
      const data = { runnerId, name, pool, capabilities: { os: 'linux' }, version: '1' };
      await record(runnerStream(runnerId), { type: 'runner.registered', data });
    }
    const gone = { runnerId: runnerIdOf('gone'), reason: 'done', exitCode: 0 };
    await record(runnerStream(runnerIdOf('gone')), { type: 'runner.retired', data: gone });
    await tell(runId, createRun(runId));
    await tell(runId, recordPlan([job, { ...job, key: 'lint' }]));

    const waiting = await whichAttemptsWait(log.orchestrator, { pool, limit: 10 });
    await tell(runId, { type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease });

    expect(waiting.map(({ jobKey, requirements }) => ({ jobKey, requirements }))).toEqual([
      { jobKey: 'lint', requirements: job.requirements },
      { jobKey: 'unit', requirements: job.requirements },
    ]);
    expect(await whichAttemptsWait(log.orchestrator, { waitedAtLeastMs: 3_600_000, limit: 10 })).toEqual([]);
    const queuedAtMs = Math.max(...waiting.map((attempt) => attempt.queuedAtMs));
    expect(await whichAttemptsWait(log.orchestrator, { pool, queuedUpToMs: queuedAtMs, limit: 10 })).toHaveLength(1);
    expect(await whichAttemptsWait(log.orchestrator, { pool, queuedUpToMs: 0, limit: 10 })).toEqual([]);
    const [first] = waiting;
    if (first === undefined) throw new Error('nothing waits');
    expect(await whichAttemptsWait(log.orchestrator, { pool, after: { ...first, jobKey: 'a' }, limit: 1 })).toEqual([
      first,
    ]);
    expect(await whichAttemptsWait(log.orchestrator, { pool, after: first, limit: 10 })).toEqual([]);
    const higher = { ...first, priority: first.priority + 1, jobKey: 'z' };
    expect(await whichAttemptsWait(log.orchestrator, { pool, after: higher, limit: 10 })).toEqual([first]);
    expect(await whatDoesThePoolNeed(log.reader, pool)).toMatchObject({
      queued: 1,
      leased: 1,
      idleRunners: [runnerIdOf('idle')],
      spentRunners: [],
    });
    expect(await whatDoesThePoolNeed(log.reader, 'empty')).toMatchObject({
      queued: 0,
      oldestQueuedAgeMs: 0,
      leased: 0,
    });
    const held = { runId, jobKey: 'unit', attempt: 1, leaseHash: lease.leaseHash };
    expect(await whichLeasesDoesTheRunnerHold(log.orchestrator, lease.runnerId)).toEqual([held]);
    expect(await findLease(log.reader, lease.leaseHash)).toMatchObject({
      runId,
      fence: 1,
      runnerId: lease.runnerId,
      state: 'granted',
      attemptState: 'leased',
    });
    expect(await findLease(log.reader, leaseHashOf('nobody'))).toBeNull();
    expect(await findRunner(log.reader, runnerIdOf('gone'))).toMatchObject({ name: 'gone', pool, present: false });
    expect(await findRunner(log.reader, runnerIdOf('nobody'))).toBeNull();
    const asked = [runnerIdOf('gone'), runnerIdOf('nobody'), lease.runnerId];
    expect(await howDoRunnersStand(log.orchestrator, asked)).toMatchObject([
      { pool, retired: true, held: null },
      null,
      { pool, retired: false, held },
    ]);
    await tell(runId, { type: 'acknowledge-lease', ...lease });
    await tell(runId, { type: 'complete-attempt', ...lease, report: aReport('succeeded') });
    expect(await whatDoesThePoolNeed(log.reader, pool)).toMatchObject({
      leased: 0,
      idleRunners: [lease.runnerId, runnerIdOf('idle')].toSorted(),
      spentRunners: [lease.runnerId],
    });
  });

  it('know which runners have had their one lease, and which never heard of theirs', async () => {
    const pool = 'heard';
    const jobs = ['unbegun', 'unheard', 'silent', 'carried-out'];
    const runId = runIdOf('heard');
    const leaseOf = (key: string) => ({ leaseHash: leaseHashOf(key), runnerId: runnerIdOf(key) });
    const { requirements } = aJobState('any');
    await tell(runId, createRun(runId));
    await tell(runId, recordPlan(jobs.map((key) => ({ ...aJobState(key), requirements: { ...requirements, pool } }))));
    for (const name of jobs) {
      const data = { runnerId: runnerIdOf(name), name, pool, capabilities: { os: 'linux' }, version: '1' };
      await record(runnerStream(runnerIdOf(name)), { type: 'runner.registered', data });
      await tell(runId, { type: 'grant-lease', jobKey: name, attempt: 1, ...leaseOf(name) });
    }
    expect(await whatDoesThePoolNeed(log.reader, pool)).toMatchObject({ leased: 4, idleRunners: [], spentRunners: [] });

    const report = aReport('failed');
    await tell(runId, { type: 'end-unbegun-attempt', ...leaseOf('unbegun'), report });
    const silent = { attempt: 1, fence: 1, wasActive: false, silentSinceMs: 0 };
    await tell(runId, { type: 'expire-lease', jobKey: 'unheard', ...silent });
    for (const name of ['silent', 'carried-out']) await tell(runId, { type: 'acknowledge-lease', ...leaseOf(name) });
    await tell(runId, { type: 'complete-attempt', ...leaseOf('carried-out'), report });
    await tell(runId, { type: 'expire-lease', jobKey: 'silent', ...silent, wasActive: true });

    expect(await whatDoesThePoolNeed(log.reader, pool)).toMatchObject({
      leased: 0,
      idleRunners: jobs.map(runnerIdOf).toSorted(),
      spentRunners: ['silent', 'carried-out'].map(runnerIdOf).toSorted(),
    });
  });

  it('list pools with their latest decision', async () => {
    const bounds = { min: 0, max: 4 };
    const decided = { pool: 'decided', current: 1, action: 'start', count: 1, signals: { queued: 2 }, bounds } as const;
    for (const desired of [1, 2]) {
      const data = { ...decided, desired, applied: [], sentence: `now ${desired}`, inputs: null };
      await record(poolStream('decided'), { type: 'scaling.decided', data });
    }

    const pools = await listPools(log.reader);
    expect(pools.find(({ pool }) => pool === 'decided')).toMatchObject({
      desired: 2,
      current: 1,
      lastDecision: 'now 2',
    });
    expect((await listPoolDecisions(log.reader, 'decided', 5)).map((one) => one.sentence)).toEqual(['now 2', 'now 1']);
  });

  it('remember the policy of a repository', async () => {
    const there = repository('with-policy');
    const policy = { repository: there.id, policy: { failFast: false } };
    await record(repositoryStream(there.id), { type: 'policy.changed', data: policy });

    expect(await findRepository(log.orchestrator, there.id)).toEqual({ repository: null, policy: { failFast: false } });
    await tell(runIdOf('with-policy'), createRun(runIdOf('with-policy'), there));
    expect(await findRepository(log.orchestrator, there.id)).toEqual({
      repository: there,
      policy: { failFast: false },
    });
    expect(await findRepository(log.orchestrator, 'local/demo/nothing')).toBeNull();
  });

  it('find a run due when its deadline has passed, and no longer when it is over', async () => {
    const late = runIdOf('late');
    const command = createRun(late);
    if (command.type !== 'create-run') throw new Error('not the command that was asked for');
    const policy = { ...command.data.policy, planningTimeoutMs: 0 };
    await tell(late, { ...command, data: { ...command.data, policy } });
    for (const submission of simpleRun('in-time').submissions) await accept(submission);

    expect((await whichRunsAreDue(log.orchestrator, 10)).map((run) => run.runId)).toEqual([late]);
    await tell(late, { type: 'enforce-deadlines' });
    expect(await whichRunsAreDue(log.orchestrator, 10)).toEqual([]);
  });
});
