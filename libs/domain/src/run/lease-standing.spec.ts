import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeCancel,
  acknowledgeLease,
  completeAttempt,
  createRun,
  enforceDeadlines,
  expireLease,
  grantLease,
  job,
  JOB_TIMEOUT_MS,
  NO_SOURCE,
  POLICY,
  recordArtifact,
  recordPlan,
  reportProgress,
  runner,
  T0,
} from './a-run.fixture.ts';
import { given, story, type Step } from './given.fixture.ts';
import { STALE_REPORTS_RECORDED_MAX } from './lease-standing.ts';
import type { RunnerReport } from './run-command.ts';

const planned: Step[] = [createRun(), recordPlan([job('a', [], { lostRetries: 1 })])];
const working: Step[] = [...planned, grantLease('a'), acknowledgeLease('a')];
const expired: Step[] = [...working, expireLease('a')];

/** What each kind of report says about attempt 1 of job `a`. */
const REPORTS: RunnerReport[] = [
  acknowledgeLease('a'),
  reportProgress('a', 'running'),
  completeAttempt('a'),
  acknowledgeCancel('a'),
  recordArtifact('a'),
];

describe.each(REPORTS.map((report) => [report.type, report] as const))('a stale report: %s', (type, report) => {
  it('with a lease of nobody is unknown, and there is nothing to record it with', () => {
    given(story(...planned))
      .when(report)
      .thenRefused('stale_lease', { reason: 'unknown' });
    given([]).when(report).thenRefused('stale_lease', { reason: 'unknown' });
    given(story(createRun())).when(report).thenRefused('stale_lease', { reason: 'unknown' });
  });

  it('by another runner than the lease’s is unknown, and changes nothing for the one that holds it', () => {
    const outcome = given(story(...working)).when({ ...report, runnerId: runner('b') });
    outcome.thenRefused(
      'stale_lease',
      { reason: 'unknown' },
      {
        type: 'lease.stale-report-refused',
        data: { jobKey: 'a', attempt: 1, reason: 'unknown', report: type, runnerId: runner('b') },
      },
    );
    given(story(...working))
      .when(completeAttempt('a'))
      .thenTypes('attempt.finished', 'job.finished', 'run.finished');
  });

  it('after its lease expired is expired, while the next attempt waits', () => {
    given(story(...expired))
      .when(report)
      .thenRefused(
        'stale_lease',
        { reason: 'expired' },
        { type: 'lease.stale-report-refused', data: { reason: 'expired', report: type, runnerId: runner('a') } },
      );
  });

  it('after another runner got the next fence is superseded', () => {
    given(story(...expired, grantLease('a', 2)))
      .when(report)
      .thenRefused('stale_lease', { reason: 'superseded' }, { type: 'lease.stale-report-refused' });
    given(story(...expired, grantLease('a', 2), acknowledgeLease('a', 2), completeAttempt('a', NO_SOURCE, 2)))
      .when(report)
      .thenRefused('stale_lease', { reason: 'superseded' }, { type: 'lease.stale-report-refused' });
  });

  it('after its lease was taken away is revoked', () => {
    const late = T0 + JOB_TIMEOUT_MS + POLICY.cancelDeadlineMs;
    given(story(...working, [enforceDeadlines, late]))
      .when(report, late)
      .thenRefused('stale_lease', { reason: 'revoked' }, { type: 'lease.stale-report-refused' });
  });
});

describe('stale reports', () => {
  it('are refused for ever and recorded a few times', () => {
    const refusedOnce = given(story(...expired)).when(completeAttempt('a')).decision.events;
    const refusals = Array.from({ length: STALE_REPORTS_RECORDED_MAX }, () => refusedOnce).flat();
    expect(refusals).toHaveLength(STALE_REPORTS_RECORDED_MAX);
    given([...story(...expired), ...refusals.slice(1)])
      .when(completeAttempt('a'))
      .thenRefused('stale_lease', { reason: 'expired' }, { type: 'lease.stale-report-refused' });
    given([...story(...expired), ...refusals])
      .when(completeAttempt('a'))
      .thenRefused('stale_lease', { reason: 'expired' });
  });

  it('are recorded after the run finished too', () => {
    const late = T0 + JOB_TIMEOUT_MS + POLICY.cancelDeadlineMs;
    const outcome = given(story(...working, [enforceDeadlines, late])).when(completeAttempt('a'));
    expect(outcome.run.state).toBe('finished');
    outcome.thenRefused('stale_lease', {}, { type: 'lease.stale-report-refused' });
  });
});
