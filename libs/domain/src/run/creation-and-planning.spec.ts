import { describe, expect, it } from '@jest/globals';
import {
  createRun,
  enforceDeadlines,
  job,
  INPUTS,
  OTHER_PLAN,
  PLAN,
  POLICY,
  recordPlan,
  REQUIREMENTS,
  T0,
} from './a-run.fixture.ts';
import { given, story } from './given.fixture.ts';

describe('a run begins', () => {
  it('with planning that has a deadline', () => {
    given([])
      .when(createRun(), T0)
      .thenEvents(
        { type: 'run.created', data: createRun().data },
        { type: 'run.planning-started', data: { deadlineAtMs: T0 + POLICY.planningTimeoutMs } },
      );
  });

  it('once: the same id again is a conflict', () => {
    given(story(createRun())).when(createRun()).thenRefused('conflicting_repeat');
  });
});

describe('a plan', () => {
  it('readies what needs nothing and queues it', () => {
    const jobs = [job('build'), job('test', ['build'])];
    given(story(createRun()))
      .when(recordPlan(jobs), T0 + 5)
      .thenEvents(
        {
          type: 'run.planned',
          data: {
            planDigest: PLAN,
            policy: POLICY,
            jobs,
            summary: 'what changed',
            deadlineAtMs: T0 + 5 + POLICY.runTimeoutMs,
            inputsDigest: INPUTS,
          },
        },
        { type: 'job.readied', data: { jobKey: 'build' } },
        {
          type: 'attempt.queued',
          data: {
            jobKey: 'build',
            attempt: 1,
            pool: 'default',
            priority: 0,
            requirements: REQUIREMENTS,
            queueDeadlineAtMs: T0 + 5 + POLICY.queueTimeoutMs,
            retryOf: null,
          },
        },
      );
  });

  it('without jobs is a success at once', () => {
    given(story(createRun()))
      .when(recordPlan([]))
      .thenLike({ type: 'run.planned' }, { type: 'run.finished', data: { outcome: 'succeeded' } });
  });

  it('queues no more at a time than the policy allows, highest priority first, then in the order of the plan', () => {
    const jobs = [job('a'), job('b', [], { priority: 5 }), job('c'), job('d', [], { priority: 5 })];
    const outcome = given(story(createRun())).when(recordPlan(jobs, { maxConcurrency: 3 }));
    outcome.thenLike(
      { type: 'run.planned' },
      ...jobs.map(({ key }) => ({ type: 'job.readied' as const, data: { jobKey: key } })),
      { type: 'attempt.queued', data: { jobKey: 'b' } },
      { type: 'attempt.queued', data: { jobKey: 'd' } },
      { type: 'attempt.queued', data: { jobKey: 'a' } },
    );
  });

  it('governs the run with its own policy', () => {
    const outcome = given(story(createRun())).when(recordPlan([job('a')], { cancelDeadlineMs: 777 }));
    expect(outcome.run).toMatchObject({ state: 'queued', facts: { policy: { cancelDeadlineMs: 777 } } });
  });

  it.each([
    ['twice the same job', [job('a'), job('a')], 'job a is planned twice'],
    ['an unknown need', [job('a', ['b'])], 'job a needs b, which is not in the plan'],
    ['the same need twice', [job('a'), job('b', ['a', 'a'])], 'job b needs the same job twice'],
    ['a job that needs itself', [job('a', ['a'])], 'circle'],
    ['a circle of needs', [job('a'), job('b', ['a', 'd']), job('c', ['b']), job('d', ['c'])], 'circle'],
    ['a key of every object', [job('a', ['constructor'])], 'job a needs constructor, which is not in the plan'],
  ])('with %s is refused', (_, jobs, message) => {
    const outcome = given(story(createRun())).when(recordPlan(jobs));
    outcome.thenRefused('invalid_request');
    expect(outcome.decision).toMatchObject({ refusal: { message: expect.stringContaining(message) } });
  });

  it('again is a repeat, another one comes too late', () => {
    const planned = story(createRun(), recordPlan([job('a')]));
    given(planned)
      .when(recordPlan([job('a')]))
      .thenNothing();
    given(planned)
      .when({ ...recordPlan([job('a')]), planDigest: OTHER_PLAN })
      .thenRefused('invalid_transition', { state: 'queued', command: 'record-plan' });
  });
});

describe('planning that fails', () => {
  it('fails the run, and says why', () => {
    given(story(createRun()))
      .when({
        type: 'record-planning-failure',
        code: 'config_invalid',
        message: 'delta.yaml:3:1: no such key',
        inputsDigest: INPUTS,
      })
      .thenEvents(
        {
          type: 'run.planning-failed',
          data: { code: 'config_invalid', message: 'delta.yaml:3:1: no such key', inputsDigest: INPUTS },
        },
        { type: 'run.finished', data: { outcome: 'failed', reason: 'planning failed: config_invalid' } },
      );
  });

  it('by its deadline times the run out, and a plan after that is refused', () => {
    const late = T0 + POLICY.planningTimeoutMs;
    given(story(createRun()))
      .when(enforceDeadlines, late - 1)
      .thenNothing();
    given(story(createRun()))
      .when(enforceDeadlines, late)
      .thenLike(
        { type: 'run.planning-failed', data: { code: 'planning_timed_out' } },
        { type: 'run.finished', data: { outcome: 'timed_out' } },
      );
    given(story(createRun(), [enforceDeadlines, late]))
      .when(recordPlan([job('a')]), late)
      .thenRefused('invalid_transition', { state: 'finished' });
  });
});
