import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  enforceDeadlines,
  grantLease,
  job,
  JOB_TIMEOUT_MS,
  POLICY,
  recordPlan,
  T0,
} from './a-run.fixture.ts';
import { nextDeadlineMs } from './deadlines.ts';
import { folded, given, story, type Step } from './given.fixture.ts';

const planned: Step[] = [createRun(), recordPlan([job('a'), job('b')])];
const working: Step[] = [...planned, grantLease('a'), acknowledgeLease('a')];
const JOB_DEADLINE = T0 + JOB_TIMEOUT_MS + POLICY.cancelDeadlineMs;
const QUEUE_DEADLINE = T0 + POLICY.queueTimeoutMs;
const RUN_DEADLINE = T0 + POLICY.runTimeoutMs;

describe('the next deadline', () => {
  it.each<[string, Step[], number | null]>([
    ['of nothing', [], null],
    ['of planning', [createRun()], T0 + POLICY.planningTimeoutMs],
    ['of the queue', planned, QUEUE_DEADLINE],
    ['of a working job', working, JOB_DEADLINE],
    ['of a cancel', [...working, cancelRun], T0 + POLICY.cancelDeadlineMs],
    ['of a finished run', [createRun(), cancelRun], null],
  ])('%s', (_, steps, deadline) => {
    expect(nextDeadlineMs(folded(story(...steps)))).toBe(deadline);
  });

  it('is the run’s own when nothing else is earlier', () => {
    const limited = [createRun(), recordPlan([job('a')], { runTimeoutMs: 1_000 })] as const;
    expect(nextDeadlineMs(folded(story(...limited)))).toBe(T0 + 1_000);
    expect(nextDeadlineMs(folded(story(createRun(), recordPlan([job('a')]), grantLease('a'))))).toBe(RUN_DEADLINE);
  });
});

describe('the queue timeout', () => {
  it('ends an attempt that no runner took, and is not tried again', () => {
    const jobs = [job('a', [], { retries: 5, retryTimeouts: true })];
    const waiting = story(createRun(), recordPlan(jobs));
    given(waiting)
      .when(enforceDeadlines, QUEUE_DEADLINE - 1)
      .thenNothing();
    given(waiting)
      .when(enforceDeadlines, QUEUE_DEADLINE)
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'timed_out', report: null } },
        {
          type: 'job.finished',
          data: { outcome: 'timed_out', reason: 'attempt 1 timed out; no further attempt: nobody took it in time' },
        },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });

  it('of one job fails the run fast: the others, due as well, are canceled and not ended twice', () => {
    given(story(...planned))
      .when(enforceDeadlines, QUEUE_DEADLINE)
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'timed_out' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'timed_out' } },
        { type: 'attempt.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });
});

describe('the job timeout', () => {
  it('takes the job away from a runner that did not stop it by itself in the grace it has', () => {
    const jobs = [job('a')];
    const running = story(createRun(), recordPlan(jobs), grantLease('a'), acknowledgeLease('a'));
    given(running)
      .when(enforceDeadlines, JOB_DEADLINE - 1)
      .thenNothing();
    given(running)
      .when(enforceDeadlines, JOB_DEADLINE)
      .thenLike(
        { type: 'lease.revoked', data: { jobKey: 'a', reason: `the job reached its limit of ${JOB_TIMEOUT_MS} ms` } },
        { type: 'attempt.finished', data: { outcome: 'timed_out', report: null } },
        { type: 'job.finished', data: { outcome: 'timed_out' } },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });

  it('is tried again when the policy says so', () => {
    const jobs = [job('a', [], { retries: 1, retryTimeouts: true })];
    given(story(createRun(), recordPlan(jobs), grantLease('a'), acknowledgeLease('a')))
      .when(enforceDeadlines, JOB_DEADLINE)
      .thenLike(
        { type: 'lease.revoked' },
        { type: 'attempt.finished', data: { outcome: 'timed_out' } },
        { type: 'attempt.queued', data: { attempt: 2, retryOf: { attempt: 1, because: 'timeout' } } },
      );
  });

  it('does not end a job whose report came in time', () => {
    given(story(...working, [completeAttempt('a'), JOB_DEADLINE - 1]))
      .when(enforceDeadlines, JOB_DEADLINE)
      .thenNothing();
  });
});

describe('the run timeout', () => {
  it('ends everything: what runners have is taken away, the rest is canceled', () => {
    const jobs = [job('a'), job('b'), job('c', ['a'])];
    given(story(createRun(), recordPlan(jobs, { runTimeoutMs: 1_000 }), grantLease('a'), acknowledgeLease('a')))
      .when(enforceDeadlines, T0 + 1_000)
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 'c', outcome: 'canceled' } },
        { type: 'lease.revoked', data: { jobKey: 'a' } },
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'timed_out' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'timed_out' } },
        { type: 'run.finished', data: { outcome: 'timed_out', reason: 'the run reached its limit of 1000 ms' } },
      );
  });

  it('does not change what a cancel decided', () => {
    const limited = { runTimeoutMs: 1_000, cancelDeadlineMs: 5_000 };
    given(story(createRun(), recordPlan([job('a')], limited), grantLease('a'), cancelRun))
      .when(enforceDeadlines, T0 + 1_000)
      .thenNothing();
  });
});

describe('enforcing deadlines', () => {
  it.each<[string, Step[]]>([
    ['a run that is planned', planned],
    ['a run that works', working],
    ['a run that finished', [createRun(), cancelRun]],
  ])('changes nothing of %s when nothing is due', (_, steps) => {
    given(story(...steps))
      .when(enforceDeadlines)
      .thenNothing();
  });
});
