import { describe, expect, it } from '@jest/globals';
import type { CompletionReport, PlannedJobState, RunPolicy } from '@delta-ci/contracts';
import type { RunAggregate } from './aggregate.ts';
import {
  acknowledgeLease,
  completeAttempt,
  createRun,
  FAILURE,
  grantLease,
  job,
  recordPlan,
  SUCCESS,
} from './a-run.fixture.ts';
import { folded, given, story, type Step } from './given.fixture.ts';
import { jobOf } from './read-run.ts';

const NO_FAIL_FAST: Partial<RunPolicy> = { failFast: false };

/** Grants, acknowledges and completes a job. */
function run(key: string, report: CompletionReport = SUCCESS): Step[] {
  return [grantLease(key), acknowledgeLease(key), completeAttempt(key, report)];
}

function after(jobs: PlannedJobState[], policy: Partial<RunPolicy>, ...steps: Step[]): RunAggregate {
  return folded(story(createRun(), recordPlan(jobs, policy), ...steps));
}

function states(state: RunAggregate, ...keys: string[]): string[] {
  return keys.map((key) => {
    const progress = jobOf(state, key)?.progress;
    return progress?.state === 'finished' ? progress.outcome : (progress?.state ?? 'unknown');
  });
}

describe('a job', () => {
  it('is ready when all it needs have succeeded, and not before', () => {
    const jobs = [job('a'), job('b'), job('c', ['a', 'b'])];
    expect(states(after(jobs, {}, ...run('a')), 'c')).toEqual(['blocked']);
    given(story(createRun(), recordPlan(jobs), ...run('a'), ...run('b').slice(0, 2)))
      .when(completeAttempt('b'))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'b' } },
        { type: 'job.finished', data: { jobKey: 'b' } },
        { type: 'job.readied', data: { jobKey: 'c' } },
        { type: 'attempt.queued', data: { jobKey: 'c' } },
      );
  });

  it('may go on when one it needs failed and is allowed to', () => {
    const jobs = [job('a', [], { allowFailure: true }), job('b', ['a'])];
    expect(states(after(jobs, {}, ...run('a', FAILURE)), 'a', 'b')).toEqual(['failed', 'active']);
  });

  it('is skipped when one it needs did not succeed, and so is what needs it', () => {
    const jobs = [job('a'), job('b', ['a']), job('c', ['b']), job('d', ['c', 'e']), job('e')];
    const state = after(jobs, NO_FAIL_FAST, ...run('a', FAILURE));
    expect(states(state, 'b', 'c', 'd', 'e')).toEqual(['skipped', 'skipped', 'skipped', 'active']);
    expect(jobOf(state, 'c')?.progress).toMatchObject({ reason: 'it needs b, which was skipped' });
  });

  it('that may fail and was skipped lets what needs it go on', () => {
    const jobs = [job('a'), job('b', ['a'], { allowFailure: true }), job('c', ['b'])];
    expect(states(after(jobs, NO_FAIL_FAST, ...run('a', FAILURE)), 'b', 'c')).toEqual(['skipped', 'active']);
  });
});

describe('a run that fails fast', () => {
  const jobs = [job('a'), job('needs-a', ['a']), job('held'), job('queued'), job('ready'), job('b', ['held'])];
  const policy = { maxConcurrency: 3 };

  it('skips what needed the failed job, cancels what was not started, and lets the rest finish', () => {
    const state = after(jobs, policy, grantLease('held'), ...run('a', FAILURE));
    expect(state.state).toBe('running');
    expect(states(state, 'needs-a', 'queued', 'ready', 'b', 'held')).toEqual([
      'skipped',
      'canceled',
      'canceled',
      'canceled',
      'active',
    ]);
    const end = after(jobs, policy, grantLease('held'), ...run('a', FAILURE), ...run('held').slice(1));
    expect(end).toMatchObject({ state: 'finished', outcome: 'failed' });
  });

  it('ends a queued attempt before its job', () => {
    given(story(createRun(), recordPlan([job('a'), job('q')]), ...run('a').slice(0, 2)))
      .when(completeAttempt('a', FAILURE))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'a', outcome: 'failed' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'failed' } },
        { type: 'attempt.finished', data: { jobKey: 'q', outcome: 'canceled', report: null } },
        {
          type: 'job.finished',
          data: { jobKey: 'q', outcome: 'canceled', reason: 'job a failed and the run fails fast' },
        },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });

  it('readies nothing on the way, not even what could have gone on without the skipped job', () => {
    const chain = [job('a'), job('tolerated', ['a'], { allowFailure: true }), job('c', ['tolerated'])];
    given(story(createRun(), recordPlan(chain), ...run('a').slice(0, 2)))
      .when(completeAttempt('a', FAILURE))
      .thenLike(
        { type: 'attempt.finished', data: { jobKey: 'a' } },
        { type: 'job.finished', data: { jobKey: 'a', outcome: 'failed' } },
        { type: 'job.finished', data: { jobKey: 'tolerated', outcome: 'skipped' } },
        { type: 'job.finished', data: { jobKey: 'c', outcome: 'canceled' } },
        { type: 'run.finished', data: { outcome: 'failed' } },
      );
  });

  it('does so for required jobs only', () => {
    const optional = [job('a', [], { required: false }), job('tolerated', [], { allowFailure: true }), job('c')];
    const state = after(optional, {}, ...run('a', FAILURE), ...run('tolerated', FAILURE));
    expect(states(state, 'a', 'tolerated', 'c')).toEqual(['failed', 'failed', 'active']);
  });

  it('does not when the policy is off', () => {
    expect(states(after([job('a'), job('b')], NO_FAIL_FAST, ...run('a', FAILURE)), 'b')).toEqual(['active']);
  });
});

describe('the outcome of a run', () => {
  const outcomeOf = (jobs: PlannedJobState[], ...steps: Step[]): unknown => {
    const { outcome, reason } = { outcome: null, reason: null, ...after(jobs, NO_FAIL_FAST, ...steps) };
    return { outcome, reason };
  };

  it('is success when every required job succeeded', () => {
    expect(outcomeOf([job('a'), job('b')], ...run('a'), ...run('b'))).toEqual({
      outcome: 'succeeded',
      reason: 'all 2 jobs succeeded',
    });
  });

  it('is success although a job failed that may fail or is not required', () => {
    const jobs = [job('a'), job('b', [], { allowFailure: true }), job('c', [], { required: false })];
    expect(outcomeOf(jobs, ...run('a'), ...run('b', FAILURE), ...run('c', FAILURE))).toEqual({
      outcome: 'succeeded',
      reason: 'all required jobs succeeded; 2 other jobs did not: b, c',
    });
  });

  it('is failure when a required job failed, and names it', () => {
    expect(outcomeOf([job('a'), job('b')], ...run('a', FAILURE), ...run('b'))).toEqual({
      outcome: 'failed',
      reason: '1 required job did not succeed: a',
    });
  });

  it('is failure when a required job was skipped, although the job it needed was not required', () => {
    const jobs = [job('a', [], { required: false }), job('b', ['a'])];
    expect(outcomeOf(jobs, ...run('a', FAILURE))).toEqual({
      outcome: 'failed',
      reason: '1 required job did not succeed: b',
    });
  });

  it('names only as many jobs as people read', () => {
    const jobs = [job('a'), ...['b', 'c', 'd', 'e', 'f', 'g'].map((key) => job(key, ['a']))];
    expect(outcomeOf(jobs, ...run('a', FAILURE))).toEqual({
      outcome: 'failed',
      reason: '7 required jobs did not succeed: a, b, c, d, e and 2 more',
    });
  });
});
