import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  endUnbegunAttempt,
  grantLease,
  HAND_OUT,
  handOutSecrets,
  job,
  JOB_TIMEOUT_MS,
  leaseHash,
  NO_SOURCE,
  POLICY,
  recordPlan,
  reportProgress,
  runner,
  T0,
} from './a-run.fixture.ts';
import { folded, given, story } from './given.fixture.ts';
import { jobOf, leaseOf } from './read-run.ts';

const planned = [createRun(), recordPlan([job('a'), job('b'), job('later', ['a'])])] as const;

describe('a lease', () => {
  it('is granted for the acceptance time; the first one starts the run', () => {
    given(story(...planned))
      .when(grantLease('a'), T0 + 7)
      .thenEvents(
        { type: 'run.started', data: {} },
        {
          type: 'lease.granted',
          data: {
            jobKey: 'a',
            attempt: 1,
            fence: 1,
            leaseHash: leaseHash('a'),
            runnerId: runner('a'),
            expiresAtMs: T0 + 7 + POLICY.leaseAcceptanceMs,
          },
        },
      );
    given(story(...planned, grantLease('a')))
      .when(grantLease('b'))
      .thenTypes('lease.granted');
  });

  it('repeats harmlessly, and is not the same for another attempt or runner', () => {
    const held = story(...planned, grantLease('a'));
    given(held).when(grantLease('a')).thenNothing();
    given(held)
      .when({ ...grantLease('b'), leaseHash: leaseHash('a') })
      .thenRefused('conflicting_repeat');
    given(held)
      .when({ ...grantLease('a'), runnerId: runner('b') })
      .thenRefused('conflicting_repeat');
  });

  it('goes to one runner only', () => {
    given(story(...planned, grantLease('a')))
      .when({ ...grantLease('a'), leaseHash: leaseHash('x') })
      .thenRefused('invalid_transition', { state: 'leased' });
  });

  it('is not granted to a runner that holds one', () => {
    given(story(...planned, grantLease('a')))
      .when({ ...grantLease('b'), runnerId: runner('a') })
      .thenRefused('invalid_transition', { reason: 'runner_busy' });
  });

  it.each([
    ['no such job', grantLease('nothing'), 'not_found', {}],
    ['a blocked job', grantLease('later'), 'invalid_transition', { state: 'blocked' }],
    ['an attempt that is not there yet', grantLease('a', 2), 'invalid_transition', { state: 'over' }],
  ] as const)('is not granted for %s', (_, command, code, details) => {
    given(story(...planned))
      .when(command)
      .thenRefused(code, details);
  });

  it('is not granted when its time to start, or the run’s time, has passed', () => {
    given(story(...planned))
      .when(grantLease('a'), T0 + POLICY.queueTimeoutMs)
      .thenRefused('invalid_transition', { reason: 'deadline_passed' });
    given(story(createRun(), recordPlan([job('a')], { runTimeoutMs: 1_000 })))
      .when(grantLease('a'), T0 + 1_000)
      .thenRefused('invalid_transition', { reason: 'deadline_passed' });
  });

  it('is not granted while the run is being canceled', () => {
    given(story(...planned, grantLease('a'), cancelRun))
      .when(grantLease('b'))
      .thenRefused('invalid_transition', { state: 'canceling' });
  });

  it('gets the next fence with every attempt', () => {
    const retried = story(
      ...planned,
      grantLease('a'),
      acknowledgeLease('a'),
      completeAttempt('a', NO_SOURCE),
      grantLease('a', 2),
    );
    expect(leaseOf(folded(retried), leaseHash('a', 1))).toMatchObject({ fence: 1, state: 'completed' });
    expect(leaseOf(folded(retried), leaseHash('a', 2))).toMatchObject({ fence: 2, state: 'granted' });
  });
});

describe('an attempt that cannot begin', () => {
  const held = story(...planned, grantLease('a'));

  it('ends as its report says, under a lease that nobody acknowledged, and is tried again', () => {
    const outcome = given(held).when(endUnbegunAttempt('a', NO_SOURCE));
    outcome.thenTypes('attempt.finished', 'attempt.queued');
    expect(leaseOf(outcome.run, leaseHash('a'))).toMatchObject({ state: 'completed', attemptState: 'finished' });
  });

  it('again changes nothing', () => {
    given(story(...planned, grantLease('a'), endUnbegunAttempt('a')))
      .when(endUnbegunAttempt('a'))
      .thenNothing();
  });

  it('lets its runner, which knows nothing of it, have the next one', () => {
    given(story(...planned, grantLease('a'), endUnbegunAttempt('a')))
      .when({ ...grantLease('a', 2), runnerId: runner('a') })
      .thenTypes('lease.granted');
  });

  it('is not one whose lease was acknowledged: then its runner says how it ended', () => {
    given(story(...planned, grantLease('a'), acknowledgeLease('a')))
      .when(endUnbegunAttempt('a'))
      .thenRefused('invalid_transition', { state: 'active' });
  });

  it('ends canceled while a cancel is under way', () => {
    const outcome = given(story(...planned, grantLease('a'), cancelRun)).when(endUnbegunAttempt('a'));
    expect(jobOf(outcome.run, 'a')?.progress).toMatchObject({ state: 'finished', outcome: 'canceled' });
  });
});

describe('acknowledging a lease', () => {
  const held = story(...planned, grantLease('a'));

  it('starts the job’s own time', () => {
    given(held)
      .when(acknowledgeLease('a'), T0 + 9)
      .thenEvents({
        type: 'lease.activated',
        data: { jobKey: 'a', attempt: 1, fence: 1, jobDeadlineAtMs: T0 + 9 + JOB_TIMEOUT_MS },
      });
  });

  it('again changes nothing', () => {
    given(story(...planned, grantLease('a'), acknowledgeLease('a')))
      .when(acknowledgeLease('a'), T0 + 99)
      .thenNothing();
  });

  it('counts while a cancel is under way, so that the runner can learn of it', () => {
    const outcome = given(story(...planned, grantLease('a'), cancelRun)).when(acknowledgeLease('a'));
    outcome.thenTypes('lease.activated');
    expect(leaseOf(outcome.run, leaseHash('a'))).toMatchObject({ state: 'active', cancelRequested: true });
  });
});

describe('progress', () => {
  const working = [...planned, grantLease('a'), acknowledgeLease('a')] as const;

  it.each([
    [[], 'starting', []],
    [[], 'running', ['attempt.started']],
    [[], 'uploading', ['attempt.uploading']],
    [['running'], 'starting', []],
    [['running'], 'running', []],
    [['running'], 'uploading', ['attempt.uploading']],
    [['running', 'uploading'], 'starting', []],
    [['running', 'uploading'], 'running', []],
    [['running', 'uploading'], 'uploading', []],
  ] as const)('after %j, %s adds %j', (before, phase, types) => {
    given(story(...working, ...before.map((earlier) => reportProgress('a', earlier))))
      .when(reportProgress('a', phase))
      .thenTypes(...types);
  });

  it('is refused before the lease was acknowledged', () => {
    given(story(...planned, grantLease('a')))
      .when(reportProgress('a', 'running'))
      .thenRefused('invalid_transition', { state: 'granted' });
  });

  it('is accepted and adds nothing while a cancel is under way', () => {
    given(story(...working, cancelRun))
      .when(reportProgress('a', 'running'))
      .thenNothing();
  });
});

describe('reading a run', () => {
  it('knows no lease that was not granted and no job that was not planned', () => {
    expect(leaseOf(folded(story(...planned)), leaseHash('a'))).toBeNull();
    expect(leaseOf(folded([]), leaseHash('a'))).toBeNull();
    expect(jobOf(folded(story(...planned)), 'constructor')).toBeNull();
    expect(jobOf(folded(story(createRun())), 'a')).toBeNull();
  });

  it('says when a working attempt’s time is over and when a canceled one must have stopped', () => {
    const working = [...planned, grantLease('a'), acknowledgeLease('a')] as const;
    expect(leaseOf(folded(story(...working)), leaseHash('a'))).toMatchObject({
      attemptState: 'starting',
      jobDeadlineAtMs: T0 + JOB_TIMEOUT_MS,
      cancelRequested: false,
      cancelDeadlineAtMs: null,
    });
    expect(leaseOf(folded(story(...working, cancelRun)), leaseHash('a'))).toMatchObject({
      attemptState: 'canceling',
      jobDeadlineAtMs: null,
      cancelRequested: true,
      cancelDeadlineAtMs: T0 + POLICY.cancelDeadlineMs,
    });
  });

  it('finds a job with what was planned and how far it is', () => {
    expect(jobOf(folded(story(...planned)), 'later')).toMatchObject({
      planned: { key: 'later', needs: ['a'] },
      progress: { state: 'blocked', unmetNeeds: 1 },
    });
  });
});

describe('the secrets of a lease', () => {
  const held = story(...planned, grantLease('a'));
  const untrusted = createRun();
  untrusted.data.change = { ...untrusted.data.change, trust: 'untrusted' };

  it('are noted by their names before the runner has them, for the attempt and the fence', () => {
    given(held)
      .when(handOutSecrets('a'))
      .thenEvents({
        type: 'lease.secrets-handed-out',
        data: { jobKey: 'a', attempt: 1, fence: 1, runnerId: runner('a'), ...HAND_OUT },
      });
  });

  it('are handed out once', () => {
    given(story(...planned, grantLease('a'), handOutSecrets('a')))
      .when(handOutSecrets('a'))
      .thenRefused('conflicting_repeat');
  });

  it('are not handed out for a change that is not trusted, whatever was planned', () => {
    given(story(untrusted, recordPlan([job('a')]), grantLease('a')))
      .when(handOutSecrets('a'))
      .thenRefused('forbidden');
  });

  it('are not handed out once the job may run, nor under another lease', () => {
    given(story(...planned, grantLease('a'), acknowledgeLease('a')))
      .when(handOutSecrets('a'))
      .thenRefused('invalid_transition');
    given(story(...planned, grantLease('a'), cancelRun))
      .when(handOutSecrets('a'))
      .thenRefused('invalid_transition');
    given(held)
      .when({ ...handOutSecrets('a'), runnerId: runner('b') })
      .thenRefused(
        'stale_lease',
        { reason: 'unknown' },
        { type: 'lease.stale-report-refused', data: { report: 'hand-out-secrets', runnerId: runner('b') } },
      );
  });
});
