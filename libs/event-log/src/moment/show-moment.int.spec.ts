import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MomentView, poolStream, runnerStream, type DomainEvent, type RunId, type StreamId } from '@delta-ci/contracts';
import { decideCapacity, NO_CAPACITY_HISTORY } from '@delta-ci/domain';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import {
  createRun,
  OPERATOR,
  recordPlan,
  runIdOf,
  runnerIdOf,
  runSubmission,
  simpleRun,
} from '../testing/run-story.fixture.ts';
import { showJobAtMoment, showMoment } from './show-moment.ts';

describe('a moment of the past', () => {
  let log: FreshLog;
  beforeEach(async () => {
    log = await freshLog();
  });
  afterEach(() => log.drop());

  const head = async (): Promise<number> =>
    Number((await log.admin.query<{ position: string }>('SELECT position FROM log_head')).rows[0]?.position);

  const append = async (stream: StreamId, event: DomainEvent): Promise<void> => {
    const id = `append-${stream}-${event.type}`;
    const decide = () => ({ appends: [{ stream, events: [event] }], answer: { ok: true as const, result: {} } });
    const answer = await log
      .writer()
      .submit({ id, actor: OPERATOR, traceparent: null, causation: id, runs: [], decide });
    expect(answer.ok).toBe(true);
  };

  /** Tells a run's story step by step, and answers where the log stood after each. */
  const tell = async (name: string): Promise<{ runId: RunId; after: number[] }> => {
    const { runId, submissions } = simpleRun(name);
    const after: number[] = [];
    for (const submission of submissions) {
      await log.writer().submit(submission);
      after.push(await head());
    }
    return { runId, after };
  };

  const viewAt = async (moment: string, limit = 50, cursor?: string): Promise<MomentView> => {
    const view = await showMoment(log.reader, { moment, limit, cursor });
    if (view === null || view === 'invalid-cursor') throw new Error(`no moment ${moment}`);
    return MomentView.parse(view);
  };

  it('given a run that is over, then each position says how it stood there', async () => {
    await append(runnerStream(runnerIdOf('one')), registered(runnerIdOf('one')));
    const { runId, after } = await tell('one');
    const [created = 0, planned = 0, leased = 0, , over = 0] = after;

    expect(await viewAt(String(created))).toMatchObject({
      runs: [{ runId, state: 'planning' }],
      queue: [],
      leases: [],
    });
    const waiting = await viewAt(String(planned));
    expect(waiting).toMatchObject({
      runs: [{ runId, state: 'queued', jobCounts: { active: 1 } }],
      queue: [{ runId, jobKey: 'unit', attempt: 1, why: { reason: 'about-to-be-taken' } }],
      runners: [{ runnerId: runnerIdOf('one'), busy: false }],
    });
    expect(await viewAt(String(leased))).toMatchObject({
      runs: [{ state: 'running' }],
      queue: [],
      leases: [{ runId, jobKey: 'unit', runnerId: runnerIdOf('one'), state: 'granted' }],
      runners: [{ busy: true }],
      pools: [{ pool: 'default', runners: 1, busy: 1, queued: 0, decision: null }],
    });
    expect(await viewAt(String(over))).toMatchObject({ runs: [], queue: [], leases: [], nextCursor: null });
    expect(await showMoment(log.reader, { moment: String(over + 1), limit: 5 })).toBeNull();
    const [, another = 0] = (await tell('another')).after;
    expect(await viewAt(String(another))).toMatchObject({
      queue: [{ runId: runIdOf('another'), why: { reason: 'no-runner-free' } }],
      runners: [{ busy: true }],
    });
    expect(await viewAt('0')).toMatchObject({ position: 0, atMs: null, runs: [], runners: [] });
  });

  it('given a time, then it is the moment after the last event that is not later', async () => {
    const { after } = await tell('timed');
    const { rows } = await log.admin.query<{ position: string; time: Date }>('SELECT position, time FROM event');
    const last = rows.at(-1);
    const future = new Date((last?.time.getTime() ?? 0) + 60_000).toISOString();
    expect((await viewAt(future)).position).toBe(after.at(-1));
    expect((await viewAt(last?.time.toISOString() ?? '')).position).toBe(after.at(-1));
    expect((await viewAt('2020-01-01')).position).toBe(0);
  });

  it('given more runs than a page holds, then each comes once, oldest first', async () => {
    for (const name of ['a', 'b', 'c']) {
      for (const submission of simpleRun(name).submissions.slice(0, 2)) await log.writer().submit(submission);
    }
    const moment = String(await head());
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const view: MomentView = await viewAt(moment, 2, cursor);
      seen.push(...view.runs.map(({ runId }) => runId));
      cursor = view.nextCursor;
    }
    expect(seen).toEqual(['a', 'b', 'c'].map(runIdOf));
    expect(await showMoment(log.reader, { moment, limit: 2, cursor: 'nonsense' })).toBe('invalid-cursor');
  });

  it('given a runner that works for a run of another page, then no page takes it for free', async () => {
    await append(runnerStream(runnerIdOf('works')), registered(runnerIdOf('works')));
    for (const submission of simpleRun('works').submissions.slice(0, 3)) await log.writer().submit(submission);
    for (const submission of simpleRun('waits').submissions.slice(0, 2)) await log.writer().submit(submission);
    const moment = String(await head());
    const first = await viewAt(moment, 1);
    const second = await viewAt(moment, 1, first.nextCursor ?? '');
    expect(first.leases).toMatchObject([{ runId: runIdOf('works'), runnerId: first.runners[0]?.runnerId }]);
    expect(second.queue).toMatchObject([{ runId: runIdOf('waits'), why: { reason: 'no-runner-free' } }]);
    for (const { runners, pools } of [first, second]) {
      expect(runners).toMatchObject([{ busy: true }]);
      expect(pools).toMatchObject([{ pool: 'default', queued: 1, runners: 1, busy: 1 }]);
    }
  });

  it('given a job, then what it waited for is told: a job it needs, a runner, or nothing any more', async () => {
    const runId = runIdOf('why');
    const jobs = [aJobState('build'), { ...aJobState('unit'), needs: ['build'] }];
    const writer = log.writer();
    await writer.submit(runSubmission('create', runId, createRun(runId)));
    const planning = await head();
    await writer.submit(runSubmission('plan', runId, recordPlan(jobs)));
    await append(poolStream('default'), atItsMaximum());
    const planned = await head();
    const lease = { leaseHash: 'a'.repeat(64), runnerId: runnerIdOf('why') };
    await writer.submit(runSubmission('grant', runId, { type: 'grant-lease', jobKey: 'build', attempt: 1, ...lease }));
    const leased = await head();
    const whyAt = async (position: number, jobKey: string) =>
      (await showJobAtMoment(log.reader, { moment: String(position), runId, jobKey }))?.why;

    expect(await whyAt(planning, 'unit')).toMatchObject({ reason: 'planning' });
    expect(await whyAt(planned, 'unit')).toMatchObject({
      reason: 'needs',
      needs: [{ jobKey: 'build', state: 'active' }],
    });
    expect(await whyAt(planned, 'build')).toMatchObject({
      reason: 'no-runner',
      capacity: ['max 1: 3 would be used'],
      sentence: expect.stringContaining('max 1: 3 would be used') as unknown,
    });
    expect(await whyAt(leased, 'build')).toMatchObject({ reason: 'not-waiting' });
    expect(await whyAt(leased, 'no-such-job')).toBeUndefined();
    expect(await whyAt(1, 'unit')).toMatchObject({ reason: 'planning' });
    expect(await whyAt(0, 'unit')).toBeUndefined();
  });
});

const registered = (runnerId: string): DomainEvent => ({
  type: 'runner.registered',
  data: {
    runnerId,
    name: 'one',
    pool: 'default',
    capabilities: { os: 'linux', arch: 'x64', isolation: ['sandbox', 'process'], toolchains: [], labels: [] },
    version: '1',
  },
});

/** A decision of a pool of one runner that could use three. */
function atItsMaximum(): DomainEvent {
  const policy = {
    pool: 'default',
    min: 0,
    max: 1,
    warmIdle: 0,
    scaleUpStepMax: 4,
    scaleUpPercentMax: 400,
    scaleUpCooldownMs: 1,
    scaleDownStepMax: 1,
    scaleDownWindowMs: 1,
    scaleDownCooldownMs: 1,
    quietBacklogMax: 0,
    quietErrorRateMax: 1,
    failedStartBackoffMs: 1,
    failedStartBackoffMaxMs: 1,
    pricePerRunnerMinute: 0,
    costCap: 1,
  };
  const counts = { queued: 3, leased: 0, idle: 0, starting: 1, failedStartsInARow: 0 };
  const rest = { nowMs: 1, oldestQueuedAgeMs: 0, lastFailedStartAtMs: null, costSoFar: 0, errorRate: 0 };
  return { type: 'scaling.decided', data: decideCapacity(policy, { ...counts, ...rest }, NO_CAPACITY_HISTORY) };
}
