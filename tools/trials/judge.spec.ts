import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { aPlan } from '../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../test/support/made-up/planned-job.ts';
import type { Carried } from './carry-out.ts';
import { differencesOf } from './judge.ts';

const REPORT = 'money/report.xml';
const job = aPlannedJob('test-money', { artifacts: [{ type: 'junit', path: REPORT, retentionDays: 1 }] });
const plan: Plan = { ...aPlan(), jobs: [job] };

const read = (tests: number, failed: number): Carried['reports'][number] => ({
  path: REPORT,
  asked: REPORT,
  text: `${tests} tests`,
  report: { tests, failed, skipped: 0, failures: [] },
});

const carried = (over: Partial<Carried> = {}): Carried => ({
  job,
  outcome: 'succeeded',
  notJudged: null,
  ranAll: true,
  output: 'adds: 1 is not 3',
  reports: [read(1, 0)],
  ...over,
});

const judged = (outcome: 'succeeded' | 'failed', each: Carried): string[] =>
  differencesOf({ outcomes: { 'test-money': outcome }, told: /is not 3/u }, plan, [each]);

describe('what a trial came to', () => {
  it('given jobs that did what they should, then there is nothing to say', () => {
    expect(judged('succeeded', carried())).toEqual([]);
    expect(judged('failed', carried({ outcome: 'failed', reports: [read(1, 1)] }))).toEqual([]);
  });

  it('given a job that nothing should reach, or none where one should be, then both are named', () => {
    const other = { outcomes: { 'test-shop': 'failed' }, told: null } as const;
    expect(differencesOf(other, plan, [])).toEqual([
      'test-shop should run, and is not in the plan',
      'test-money runs, and nothing should reach it',
    ]);
  });

  it.each<[what: string, outcome: 'succeeded' | 'failed', over: Partial<Carried>, said: RegExp]>([
    ['another outcome', 'failed', {}, /should have failed, and succeeded/u],
    ['no verdict', 'succeeded', { notJudged: 'no disk' }, /could not be judged: no disk/u],
    [
      'another reason',
      'failed',
      { outcome: 'failed', output: 'no cc', reports: [read(1, 1)] },
      /not by what is wrong/u,
    ],
    ['no report', 'succeeded', { reports: [] }, /left no test in money\/report\.xml/u],
    ['a report without tests', 'succeeded', { reports: [read(0, 0)] }, /left no test/u],
    ['a report of a failure', 'succeeded', { reports: [read(2, 1)] }, /says that 1 tests failed/u],
    ['a failure that no report has', 'failed', { outcome: 'failed' }, /no report says which test did/u],
    ['a report nobody can read', 'succeeded', { reports: [{ ...read(1, 0), report: null }] }, /can be read/u],
  ])('given %s, then it says so', (_what, outcome, over, said) => {
    expect(judged(outcome, carried(over)).join('\n')).toMatch(said);
  });

  it('given a job that failed before its tests, then no report is asked of it', () => {
    const failed = carried({ outcome: 'failed', ranAll: false, reports: [] });
    expect(judged('failed', failed)).toEqual([]);
  });
});
