import { describe, expect, it } from '@jest/globals';
import type { CompletionReport, JobPolicy, PlannedJobState, RunPolicy } from '@delta-ci/contracts';
import {
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  expireLease,
  FAILURE,
  grantLease,
  job,
  leaseHash,
  NO_SOURCE,
  recordPlan,
  runner,
  STEP,
  STOPPED,
  SUCCESS,
  T0,
  TOO_LONG,
} from './a-run.fixture.ts';
import { folded, given, story, type Step } from './given.fixture.ts';
import { jobOf } from './read-run.ts';

function working(jobs: PlannedJobState[], key: string, policy: Partial<RunPolicy> = {}): Step[] {
  return [createRun(), recordPlan(jobs, policy), grantLease(key), acknowledgeLease(key)];
}

describe('a completed attempt', () => {
  it('that succeeded finishes its job and, as the last one, the run', () => {
    given(story(...working([job('a')], 'a')))
      .when(completeAttempt('a'))
      .thenEvents(
        {
          type: 'attempt.finished',
          data: {
            jobKey: 'a',
            attempt: 1,
            outcome: 'succeeded',
            failureClass: null,
            reason: 'every step succeeded',
            report: SUCCESS,
          },
        },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'succeeded', reason: 'attempt 1 succeeded' } },
        { type: 'run.finished', data: { outcome: 'succeeded', reason: 'its job succeeded' } },
      );
  });

  it('is completed once: repeating it changes nothing, even after the run finished', () => {
    const done = story(...working([job('a')], 'a'), completeAttempt('a'));
    given(done).when(completeAttempt('a')).thenNothing();
    given(done).when(completeAttempt('a', FAILURE)).thenNothing();
  });

  it('must have been acknowledged', () => {
    given(story(createRun(), recordPlan([job('a')]), grantLease('a')))
      .when(completeAttempt('a'))
      .thenRefused('invalid_transition', { state: 'granted' });
  });

  it('makes room for the next job of a run at its limit', () => {
    given(story(...working([job('a'), job('b')], 'a', { maxConcurrency: 1 })))
      .when(completeAttempt('a'))
      .thenLike(
        { type: 'attempt.finished' },
        { type: 'job.finished' },
        { type: 'attempt.queued', data: { jobKey: 'b', attempt: 1 } },
      );
  });

  it.each<[string, Partial<CompletionReport>]>([
    ['an exit code', { exitCode: 3 }],
    ['a signal', { signal: 'SIGSEGV' }],
    ['an infrastructure error', { infrastructureError: { code: 'internal', message: '' } }],
    ['a failed step', { steps: [STEP, { ...STEP, exitCode: 1 }] }],
    ['a step out of memory', { steps: [{ ...STEP, oomKilled: true }] }],
    ['a step out of time', { steps: [{ ...STEP, timedOut: true }] }],
  ])('that calls itself a success and has %s has failed', (_, part) => {
    const outcome = given(story(...working([job('a', [], { retries: 0 })], 'a'))).when(
      completeAttempt('a', { ...SUCCESS, ...part }),
    );
    expect(outcome.run).toMatchObject({ state: 'finished', outcome: 'failed' });
  });
});

describe('another attempt', () => {
  const retry = (policy: Partial<JobPolicy>, report: CompletionReport) =>
    given(story(...working([job('a', [], policy)], 'a'))).when(completeAttempt('a', report));

  it('follows a failure of the infrastructure, under the next number', () => {
    retry({ retries: 1 }, NO_SOURCE).thenLike(
      { type: 'attempt.finished', data: { outcome: 'failed', failureClass: 'infrastructure', report: NO_SOURCE } },
      { type: 'attempt.queued', data: { attempt: 2, retryOf: { attempt: 1, because: 'retryable-failure' } } },
    );
  });

  it('does not follow a failure of the user, whatever the budget', () => {
    retry({ retries: 10 }, FAILURE).thenLike(
      { type: 'attempt.finished', data: { outcome: 'failed', failureClass: 'user' } },
      {
        type: 'job.finished',
        data: {
          outcome: 'failed',
          reason: 'attempt 1 failed; no further attempt: failures of class user are not retried',
        },
      },
      { type: 'run.finished', data: { outcome: 'failed', reason: '1 required job did not succeed: a' } },
    );
  });

  it('does not follow a timeout unless the policy says so', () => {
    retry({ retries: 1 }, TOO_LONG).thenLike(
      { type: 'attempt.finished', data: { outcome: 'timed_out' } },
      { type: 'job.finished', data: { outcome: 'timed_out' } },
      { type: 'run.finished', data: { outcome: 'failed' } },
    );
    retry({ retries: 1, retryTimeouts: true }, TOO_LONG).thenLike(
      { type: 'attempt.finished', data: { outcome: 'timed_out' } },
      { type: 'attempt.queued', data: { attempt: 2, retryOf: { attempt: 1, because: 'timeout' } } },
    );
  });

  it('follows a runner that stopped the job unasked', () => {
    retry({ retries: 1 }, STOPPED).thenLike(
      { type: 'attempt.finished', data: { outcome: 'failed', failureClass: 'infrastructure' } },
      { type: 'attempt.queued', data: { attempt: 2 } },
    );
  });

  it('follows a lost runner at once, with the lease expired first', () => {
    given(story(...working([job('a', [], { retries: 0, lostRetries: 1 })], 'a')))
      .when(expireLease('a'), T0 + 10_000)
      .thenLike(
        { type: 'lease.expired', data: { jobKey: 'a', attempt: 1, fence: 1, silentSinceMs: T0 } },
        { type: 'attempt.finished', data: { outcome: 'lost', failureClass: 'infrastructure', report: null } },
        { type: 'attempt.queued', data: { attempt: 2, retryOf: { attempt: 1, because: 'lost' } } },
      );
  });

  it('does not follow a lease that was acknowledged after it was seen to run out', () => {
    const steps = working([job('a', [], { lostRetries: 1 })], 'a');
    given(story(...steps))
      .when(expireLease('a', 1, false), T0 + 10_000)
      .thenTypes();
  });

  it('keeps the two budgets apart, and each ends', () => {
    const attempt = (number: number): Step[] => [grantLease('a', number), acknowledgeLease('a', number)];
    const jobs = [job('a', [], { retries: 1, lostRetries: 2 })];
    const steps: Step[] = [createRun(), recordPlan(jobs), ...attempt(1), expireLease('a', 1), ...attempt(2)];
    const afterFailure: Step[] = [...steps, completeAttempt('a', NO_SOURCE, 2), ...attempt(3)];
    expect(jobOf(folded(story(...afterFailure)), 'a')?.progress).toMatchObject({ retriesUsed: 1, lostRetriesUsed: 1 });
    given(story(...afterFailure))
      .when(completeAttempt('a', NO_SOURCE, 3))
      .thenTypes('attempt.finished', 'job.finished', 'run.finished');
    given(story(...afterFailure, expireLease('a', 3), ...attempt(4)))
      .when(expireLease('a', 4))
      .thenLike(
        { type: 'lease.expired' },
        { type: 'attempt.finished', data: { outcome: 'lost' } },
        {
          type: 'job.finished',
          data: {
            outcome: 'failed',
            reason: 'attempt 4 lost its runner; no further attempt: all 2 retries after a lost runner are used',
          },
        },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });

  it('is not started by a run that has failed fast', () => {
    const steps = [createRun(), recordPlan([job('a'), job('b')]), grantLease('a'), grantLease('b')];
    const failedFast = story(...steps, acknowledgeLease('a'), completeAttempt('a', FAILURE));
    given(failedFast)
      .when(expireLease('b'))
      .thenLike(
        { type: 'lease.expired' },
        { type: 'attempt.finished', data: { outcome: 'lost' } },
        { type: 'job.finished', data: { jobKey: 'b', outcome: 'failed' } },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });
});

describe('expiring a lease', () => {
  const steps = working([job('a')], 'a');
  it.each([
    ['of an attempt that is over', [...steps, completeAttempt('a')], expireLease('a')],
    ['of an attempt that is queued', steps.slice(0, 2), expireLease('a')],
    ['of a later attempt', steps, expireLease('a', 2)],
    ['of an earlier attempt', [...steps, completeAttempt('a', NO_SOURCE), grantLease('a', 2)], expireLease('a')],
    ['with another fence', steps, { ...expireLease('a'), fence: 9 }],
    ['of an unknown job', steps, expireLease('nothing')],
    ['of a run without a plan', steps.slice(0, 1), expireLease('a')],
  ])('%s changes nothing', (_, before, command) => {
    given(story(...before))
      .when(command)
      .thenNothing();
  });

  it('that nobody acknowledged loses the attempt', () => {
    given(story(createRun(), recordPlan([job('a')]), grantLease('a')))
      .when(expireLease('a'))
      .thenTypes('lease.expired', 'attempt.finished', 'attempt.queued');
  });

  it('while canceling cancels, and nothing is tried again', () => {
    given(story(...steps, cancelRun))
      .when(expireLease('a'))
      .thenLike(
        { type: 'lease.expired' },
        { type: 'attempt.finished', data: { outcome: 'canceled' } },
        { type: 'job.finished', data: { outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'canceled' } },
      );
  });
});

describe('a runner that is reported dead', () => {
  const lose = { type: 'lose-runner', runnerId: runner('a'), reason: 'the process exited with 137' } as const;

  it('loses its lease and its attempt, and the job goes on at once', () => {
    given(story(...working([job('a'), job('b')], 'a')))
      .when(lose)
      .thenLike(
        { type: 'lease.revoked', data: { jobKey: 'a', attempt: 1, fence: 1, reason: lose.reason } },
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'lost', reason: lose.reason, report: null } },
        { type: 'attempt.queued', data: { jobKey: 'a', attempt: 2 } },
      );
  });

  it('that holds nothing of the run changes nothing', () => {
    given(story(...working([job('a')], 'a')))
      .when({ ...lose, runnerId: runner('b') })
      .thenNothing();
    given(story(createRun())).when(lose).thenNothing();
  });

  it('cannot report any more', () => {
    given(story(...working([job('a')], 'a'), lose))
      .when(completeAttempt('a'))
      .thenRefused('stale_lease', { reason: 'revoked' }, { type: 'lease.stale-report-refused' });
  });

  it('leaves the lease that is found by its hash where it was', () => {
    const run = folded(story(...working([job('a')], 'a'), lose));
    expect(jobOf(run, 'a')?.progress).toMatchObject({
      state: 'active',
      earlier: [{ number: 1, outcome: 'lost', lease: { hash: leaseHash('a'), state: 'revoked' } }],
      current: { number: 2, state: 'queued' },
    });
  });
});
