import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NO_SAMPLES, SAMPLES_MAX, learnDurations, tellDurations, type MeasuredAttempt } from './learn-durations.ts';

const step = (key: string, ms: number) => ({ key, ms, share: null });
const alone = (key: string, ms: number, startUpMs = 100): MeasuredAttempt => ({
  totalMs: ms + startUpMs,
  steps: [step(key, ms)],
});
const share = (number: number, count: number, ms: number): MeasuredAttempt => ({
  totalMs: ms,
  steps: [{ key: `share ${number}`, share: { of: 'suite', number, count }, ms }],
});
const told = (runs: readonly (readonly MeasuredAttempt[])[]) => tellDurations(learnDurations(NO_SAMPLES, runs));

describe('how long steps take', () => {
  it('is the median of the last nine runs, with how many there were', () => {
    expect(told([[alone('test a', 1_000)]])).toEqual({
      startUp: { ms: 100, runs: 1 },
      steps: { 'test a': { ms: 1_000, runs: 1 } },
    });
    const wild = [1, 2, 3, 4].map(() => [alone('test a', 900_000)]);
    const usual = [1, 2, 3, 4, 5].map(() => [alone('test a', 1_000)]);
    expect(told([...usual, ...wild]).steps['test a']).toEqual({ ms: 1_000, runs: 9 });
    expect(told([...usual, ...wild, [alone('test a', 900_000)]]).steps['test a']).toEqual({ ms: 1_000_000, runs: 9 });
  });

  it('takes one sample of each run, whatever number of jobs installs the same', () => {
    const attempts = [2_000, 2_000, 50_000].map((ms) => alone('install', ms));
    expect(told([attempts]).steps).toEqual({ install: { ms: 2_000, runs: 1 } });
  });

  it('adds up the shares of a suite when all are there, and learns nothing of some', () => {
    expect(told([[share(1, 3, 300), share(2, 3, 200), share(3, 3, 500)]]).steps).toEqual({
      suite: { ms: 1_000, runs: 1 },
    });
    expect(told([[share(1, 3, 300), share(3, 3, 500)]]).steps).toEqual({});
  });

  it('is told of the steps that were measured last when there is no room for all', () => {
    const many = Array.from({ length: 50 }, (_, at) => [alone(`test ${String(at).padStart(2, '0')}`, 1_000)]);
    const { steps } = tellDurations(learnDurations(NO_SAMPLES, many), 160);
    expect(Object.keys(steps)).toEqual(['test 46', 'test 47', 'test 48', 'test 49']);
  });

  it('forgets steps that were measured longest ago', () => {
    const many = Array.from({ length: 5_001 }, (_, at) => [alone(`test ${at}`, 10)]);
    const { steps } = learnDurations(NO_SAMPLES, many);
    expect([steps.size, steps.has('test 0'), steps.has('test 1')]).toEqual([5_000, false, true]);
  });
});

const anyRun = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'c'), ms: fc.integer({ min: 0, max: 10_000_000 }) }),
  {
    maxLength: 4,
  },
);
const measured = (run: readonly { key: string; ms: number }[]) => run.map(({ key, ms }) => alone(key, ms));

describe('laws of learned durations', () => {
  it('law: learning in two goes is learning in one', () => {
    fc.assert(
      fc.property(fc.array(anyRun), fc.nat(), (runs, cut) => {
        const all = runs.map(measured);
        const at = cut % (all.length + 1);
        const before = learnDurations(NO_SAMPLES, all.slice(0, at));
        expect(learnDurations(before, all.slice(at))).toEqual(learnDurations(NO_SAMPLES, all));
      }),
    );
  });

  it('law: only the last runs in which a step was measured count', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: SAMPLES_MAX }), (times) => {
        const runs = times.map((ms) => [alone('a', ms)]);
        expect(told(runs)).toEqual(told(runs.slice(-SAMPLES_MAX)));
      }),
    );
  });

  it('law: what is told is within an eighth of a median, between the shortest and the longest, so rounded', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 10, max: 100_000_000 }), { minLength: 1, maxLength: 9 }), (times) => {
        const ms = told(times.map((each) => [alone('a', each)])).steps['a']?.ms ?? 0;
        expect(ms).toBeGreaterThanOrEqual(Math.min(...times) / 1.15);
        expect(ms).toBeLessThanOrEqual(Math.max(...times) * 1.15);
      }),
    );
  });
});
