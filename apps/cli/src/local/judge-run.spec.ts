import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_POLICY } from '@delta-ci/contracts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { judgeRun, type Decisive } from './judge-run.ts';

const JOBS = [
  aPlannedJob('unit'),
  aPlannedJob('lab', { policy: { ...DEFAULT_JOB_POLICY, allowFailure: true, required: false } }),
];

const came = (key: string, outcome: Decisive['outcome']): Decisive => ({ key, outcome, notJudged: null });
const unjudged = (key: string): Decisive => ({
  key,
  outcome: 'failed',
  notJudged: { code: 'layer_missing', message: 'it runs on gpu' },
});

describe('what came of a local run', () => {
  it.each<[string, readonly Decisive[], string, number]>([
    ['nothing to run', [], 'succeeded', 0],
    ['all succeeded', [came('unit', 'succeeded'), came('lab', 'succeeded')], 'succeeded', 0],
    ['one failed', [came('unit', 'failed'), came('lab', 'succeeded')], 'failed', 1],
    ['one took too long', [came('unit', 'timed_out')], 'failed', 1],
    ['one failed that may', [came('unit', 'succeeded'), came('lab', 'failed')], 'succeeded', 0],
    ['one could not be judged', [unjudged('unit'), came('lab', 'succeeded')], 'not judged', 3],
    ['one that may fail could not be judged', [came('unit', 'succeeded'), unjudged('lab')], 'succeeded', 0],
    ['nothing could be judged, of one that may fail', [unjudged('lab')], 'not judged', 3],
    ['one failed and another could not be judged', [came('unit', 'failed'), unjudged('lab')], 'failed', 1],
  ])('given %s, then the run says so, and so does its exit code', (_, outcomes, outcome, exitCode) => {
    expect(judgeRun(JOBS, outcomes, false)).toEqual({ outcome, exitCode });
  });

  it('given an interruption, then nothing else counts', () => {
    expect(judgeRun(JOBS, [came('unit', 'failed')], true)).toEqual({ outcome: 'canceled', exitCode: 130 });
  });
});
