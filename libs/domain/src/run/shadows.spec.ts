import { describe, it } from '@jest/globals';
import type { JobPolicy, PlannedJobState } from '@delta-ci/contracts';
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
  POLICY,
  recordPlan,
  SUCCESS,
  supersedeRun,
  T0,
} from './a-run.fixture.ts';
import { given, story, type Step } from './given.fixture.ts';

const shadow = (key: string, policy: Partial<JobPolicy> = {}): PlannedJobState =>
  job(key, [], {
    required: false,
    allowFailure: true,
    priority: -100,
    leftOut: { by: ['ownership'], as: 'shadow' },
    ...policy,
  });
const working = (key: string, attempt = 1): Step[] => [grantLease(key, attempt), acknowledgeLease(key, attempt)];
const passed = (key: string): Step[] => [...working(key), completeAttempt(key, SUCCESS)];
const RUN_DEADLINE = T0 + POLICY.runTimeoutMs;
/** What was selected has passed, and its shadow is still at work. */
const settled: Step[] = [
  createRun(),
  recordPlan([job('a'), shadow('s')], { cancelSuperseded: true }),
  ...passed('a'),
  ...working('s'),
];

describe('a shadow', () => {
  it('is tried once more whatever it failed of, and no third time', () => {
    given(story(...settled))
      .when(completeAttempt('s', FAILURE))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 's', outcome: 'failed', failureClass: 'user' } },
        { type: 'attempt.queued', data: { jobKey: 's', attempt: 2, priority: -100 } },
      );
    given(story(...settled, completeAttempt('s', FAILURE), ...working('s', 2)))
      .when(completeAttempt('s', FAILURE, 2))
      .thenLike(
        { type: 'attempt.finished', data: { outcome: 'failed' } },
        { type: 'job.finished', data: { jobKey: 's', outcome: 'failed' } },
        { type: 'run.finished', data: { outcome: 'succeeded' } },
      );
  });

  it('is admitted after everything else', () => {
    given(story(createRun()))
      .when(recordPlan([shadow('s'), job('a')], { maxConcurrency: 1 }))
      .thenLike(
        { type: 'run.planned' },
        { type: 'job.readied', data: { jobKey: 's' } },
        { type: 'job.readied', data: { jobKey: 'a' } },
        { type: 'attempt.queued', data: { jobKey: 'a' } },
      );
  });

  it('is canceled with the rest when the run fails fast', () => {
    given(story(createRun(), recordPlan([job('a'), shadow('s')]), ...working('a')))
      .when(completeAttempt('a', FAILURE))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'a' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'failed' } },
        { type: 'attempt.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });
});

describe('a run in which nothing but shadows is left', () => {
  it('keeps its result when it reaches its limit', () => {
    given(story(...settled))
      .when(enforceDeadlines, RUN_DEADLINE)
      .thenLike(
        { type: 'lease.revoked', data: { jobKey: 's' } },
        { type: 'attempt.finished', data: { jobKey: 's', outcome: 'timed_out' } },
        { type: 'job.finished', data: { jobKey: 's', outcome: 'timed_out' } },
        { type: 'run.finished', data: { outcome: 'succeeded' } },
      );
  });

  it.each([
    ['canceled', cancelRun, []],
    ['superseded', supersedeRun, [{ type: 'run.superseded' as const }]],
  ])('stops its shadows when it is %s, and keeps its result', (_, command, before) => {
    given(story(...settled))
      .when(command)
      .thenLike(...before, { type: 'attempt.cancel-requested', data: { jobKey: 's' } });
    given(story(...settled, cancelRun))
      .when(acknowledgeCancel('s'))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'succeeded' } },
      );
  });

  it('ends at once when no runner has a shadow yet, and asks a runner once', () => {
    given(story(createRun(), recordPlan([job('a'), shadow('s')]), ...passed('a')))
      .when(cancelRun)
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'job.finished', data: { jobKey: 's', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'succeeded' } },
      );
    given(story(...settled, cancelRun))
      .when(cancelRun)
      .thenNothing();
  });

  it('is canceled as any run while something else is left', () => {
    given(story(createRun(), recordPlan([job('a'), shadow('s')]), ...working('a')))
      .when(cancelRun)
      .thenLike(
        { type: 'run.cancel-requested' },
        { type: 'attempt.finished', data: { jobKey: 's' } },
        { type: 'job.finished', data: { jobKey: 's' } },
        { type: 'attempt.cancel-requested', data: { jobKey: 'a' } },
      );
  });
});
