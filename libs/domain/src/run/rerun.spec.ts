import { describe, expect, it } from '@jest/globals';
import type { CompletionReport, PlannedJobState } from '@delta-ci/contracts';
import {
  acknowledgeLease,
  cancelRun,
  CHANGE,
  completeAttempt,
  createRun,
  FAILURE,
  grantLease,
  job,
  NEWER_RUN,
  PLAN,
  POLICY,
  recordPlan,
  REPOSITORY,
  RUN,
  SUCCESS,
} from './a-run.fixture.ts';
import { folded, story, type Step } from './given.fixture.ts';
import { decideRerun } from './rerun.ts';

const run = (key: string, report: CompletionReport = SUCCESS): Step[] => [
  grantLease(key),
  acknowledgeLease(key),
  completeAttempt(key, report),
];
const planned: Step[] = [createRun(), recordPlan([job('a'), job('b'), job('c', ['b'])], { failFast: false })];
const failed = folded(story(...planned, ...run('a'), ...run('b', FAILURE)));

describe('running again', () => {
  it('evaluates the same change in a run of its own', () => {
    expect(decideRerun(failed, { newRunId: NEWER_RUN, only: 'all' })).toMatchObject({
      ok: true,
      data: {
        runId: NEWER_RUN,
        repository: REPOSITORY,
        change: { ...CHANGE, kind: 'rerun' },
        rerun: { of: RUN, only: 'all', planDigest: PLAN, jobs: null },
      },
    });
  });

  it('repeats only what did not succeed when asked so, skipped jobs included', () => {
    expect(decideRerun(failed, { newRunId: NEWER_RUN, only: 'failed' })).toMatchObject({
      data: { rerun: { only: 'failed', jobs: ['b', 'c'] } },
    });
  });

  it('leaves out shadows that failed, and is refused when nothing else did', () => {
    const shadow = job('s', [], {
      required: false,
      allowFailure: true,
      retries: 0,
      leftOut: { by: ['ownership'], as: 'shadow' },
    });
    const plannedAs = (...jobs: PlannedJobState[]): Step[] => [createRun(), recordPlan(jobs, { failFast: false })];
    const both = folded(story(...plannedAs(job('a'), shadow), ...run('a', FAILURE), ...run('s', FAILURE)));
    expect(decideRerun(both, { newRunId: NEWER_RUN, only: 'failed' })).toMatchObject({
      data: { rerun: { jobs: ['a'] } },
    });
    const alone = folded(story(...plannedAs(job('a'), shadow), ...run('a'), ...run('s', FAILURE)));
    expect(decideRerun(alone, { newRunId: NEWER_RUN, only: 'failed' })).toMatchObject({
      ok: false,
      refusal: { code: 'not_rerunnable' },
    });
  });

  it('keeps the trust of the change', () => {
    const untrusted = createRun();
    untrusted.data.change = { ...CHANGE, trust: 'untrusted' };
    const over = folded(story(untrusted, cancelRun));
    expect(decideRerun(over, { newRunId: NEWER_RUN, only: 'all' })).toMatchObject({
      data: { change: { trust: 'untrusted' }, policy: POLICY, rerun: null },
    });
  });

  it.each([
    ['a run that does not exist', folded([]), 'all', 'not_found'],
    ['a run that is not over', folded(story(...planned)), 'all', 'not_rerunnable'],
    [
      'the failures of a run that had none',
      folded(story(...planned, ...['a', 'b', 'c'].flatMap((key) => run(key)))),
      'failed',
      'not_rerunnable',
    ],
  ] as const)('is refused for %s', (_, state, only, code) => {
    expect(decideRerun(state, { newRunId: NEWER_RUN, only })).toMatchObject({ ok: false, refusal: { code } });
  });
});
