import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeCancel,
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  enforceDeadlines,
  FAILURE,
  grantLease,
  job,
  NEWER_RUN,
  POLICY,
  recordPlan,
  reportProgress,
  RUN,
  STOPPED,
  SUCCESS,
  supersedeRun,
  T0,
} from './a-run.fixture.ts';
import { given, story, type Step } from './given.fixture.ts';

const planned: Step[] = [createRun(), recordPlan([job('a'), job('b'), job('c', ['a'])])];
const working: Step[] = [...planned, grantLease('a'), acknowledgeLease('a')];
const DEADLINE = T0 + POLICY.cancelDeadlineMs;

describe('canceling a run', () => {
  it('that is being planned ends it at once', () => {
    given(story(createRun()))
      .when(cancelRun)
      .thenEvents(
        { type: 'run.cancel-requested', data: { reason: 'somebody asked', deadlineAtMs: DEADLINE } },
        { type: 'run.finished', data: { outcome: 'canceled', reason: 'somebody asked' } },
      );
  });

  it('that only waits ends it at once', () => {
    given(story(...planned))
      .when(cancelRun)
      .thenLike(
        { type: 'run.cancel-requested' },
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'canceled', report: null } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'canceled' } },
        { type: 'attempt.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 'b', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 'c', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'canceled' } },
      );
  });

  it.each([
    ['leased', []],
    ['starting', [acknowledgeLease('a')]],
    ['running', [acknowledgeLease('a'), reportProgress('a', 'running')]],
    ['uploading', [acknowledgeLease('a'), reportProgress('a', 'uploading')]],
  ] satisfies [string, Step[]][])('asks the runner of a %s attempt to stop by a deadline', (_, steps) => {
    given(story(createRun(), recordPlan([job('a'), job('c', ['a'])]), grantLease('a'), ...steps))
      .when(cancelRun)
      .thenLike(
        { type: 'run.cancel-requested', data: { deadlineAtMs: DEADLINE } },
        { type: 'job.finished', data: { jobKey: 'c', outcome: 'canceled' } },
        { type: 'attempt.cancel-requested', data: { jobKey: 'a', attempt: 1, deadlineAtMs: DEADLINE } },
      );
  });

  it('again changes nothing, and keeps the deadline', () => {
    given(story(...working, cancelRun))
      .when(cancelRun, T0 + 1_000)
      .thenNothing();
  });

  it('that finished is refused', () => {
    given(story(createRun(), cancelRun)).when(cancelRun).thenRefused('not_cancelable');
  });
});

describe('the end of a cancel', () => {
  const canceling = story(...working, cancelRun);

  it('is acknowledged by the runner', () => {
    given(canceling)
      .when(acknowledgeCancel('a'))
      .thenLike(
        { type: 'attempt.finished', data: { outcome: 'canceled', failureClass: null, report: STOPPED } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'canceled', reason: 'somebody asked' } },
      );
  });

  it('can be acknowledged before the lease was', () => {
    const leased = story(...planned, grantLease('a'), cancelRun);
    given(leased).when(acknowledgeCancel('a')).thenTypes('attempt.finished', 'job.finished', 'run.finished');
    given(leased).when(acknowledgeCancel('a', SUCCESS)).thenRefused('invalid_transition', { state: 'granted' });
  });

  it('is acknowledged once', () => {
    const acknowledged = story(...working, cancelRun, acknowledgeCancel('a'));
    given(acknowledged).when(acknowledgeCancel('a')).thenNothing();
  });

  it('is only acknowledged when it was asked for', () => {
    given(story(...working))
      .when(acknowledgeCancel('a'))
      .thenRefused('cancel_not_requested');
  });

  it('keeps a success that was done before the cancel reached it, and the run is canceled all the same', () => {
    given(canceling)
      .when(completeAttempt('a'))
      .thenLike(
        { type: 'attempt.finished', data: { outcome: 'succeeded' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'succeeded' } },
        { type: 'run.finished', data: { outcome: 'canceled' } },
      );
  });

  it('calls a failure while canceling canceled: the stop itself may have caused it', () => {
    given(canceling)
      .when(completeAttempt('a', FAILURE))
      .thenLike(
        { type: 'attempt.finished', data: { outcome: 'canceled', failureClass: null, report: FAILURE } },
        { type: 'job.finished', data: { outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'canceled' } },
      );
    given(story(...working, cancelRun, completeAttempt('a', FAILURE)))
      .when(completeAttempt('a', FAILURE))
      .thenNothing();
  });

  it('refuses the completion of an attempt that was canceled, acknowledged or forced', () => {
    const refused = {
      type: 'lease.stale-report-refused',
      data: { report: 'complete-attempt', reason: 'revoked' },
    } as const;
    given(story(...working, cancelRun, acknowledgeCancel('a')))
      .when(completeAttempt('a'))
      .thenRefused('stale_lease', { reason: 'revoked' }, refused);
    given(story(...working, cancelRun, [enforceDeadlines, DEADLINE]))
      .when(completeAttempt('a'))
      .thenRefused('stale_lease', { reason: 'revoked' }, refused);
  });

  it('is forced at the deadline, not before', () => {
    given(canceling)
      .when(enforceDeadlines, DEADLINE - 1)
      .thenNothing();
    given(canceling)
      .when(enforceDeadlines, DEADLINE)
      .thenLike(
        { type: 'lease.revoked', data: { jobKey: 'a', fence: 1 } },
        { type: 'attempt.finished', data: { outcome: 'canceled', report: null } },
        { type: 'job.finished', data: { outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'canceled' } },
      );
  });
});

describe('a newer head', () => {
  const on = { cancelSuperseded: true };
  const superseding: Step[] = [createRun(on), recordPlan([job('a')], on), grantLease('a'), acknowledgeLease('a')];

  it('cancels the older run when the policy says so', () => {
    given(story(...superseding))
      .when(supersedeRun)
      .thenLike(
        { type: 'run.superseded', data: { by: NEWER_RUN } },
        { type: 'run.cancel-requested', data: { reason: `superseded by ${NEWER_RUN}` } },
        { type: 'attempt.cancel-requested', data: { jobKey: 'a' } },
      );
  });

  it('cancels one that is still being planned', () => {
    given(story(createRun(on)))
      .when(supersedeRun)
      .thenTypes('run.superseded', 'run.cancel-requested', 'run.finished');
  });

  it('leaves the older run alone when the policy is off, or the run is over', () => {
    given(story(...working))
      .when(supersedeRun)
      .thenNothing();
    given(story(createRun(on), cancelRun))
      .when(supersedeRun)
      .thenNothing();
  });

  it('supersedes once', () => {
    given(story(...superseding, supersedeRun))
      .when({ ...supersedeRun, by: `run_${'3'.repeat(32)}` })
      .thenNothing();
  });

  it('is noted of a run that is being canceled already', () => {
    given(story(...superseding, cancelRun))
      .when(supersedeRun)
      .thenTypes('run.superseded');
  });

  it('is not the run itself', () => {
    given(story(...superseding))
      .when({ type: 'supersede-run', by: RUN })
      .thenRefused('invalid_request');
  });

  it('is seen in the run', () => {
    const outcome = given(story(...superseding)).when(supersedeRun);
    expect(outcome.run).toMatchObject({ state: 'canceling', facts: { supersededBy: NEWER_RUN } });
  });
});
