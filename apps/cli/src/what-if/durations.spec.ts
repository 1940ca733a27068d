import { describe, expect, it } from '@jest/globals';
import { stepKey, type LearnedDurations } from '@delta-ci/contracts';
import { parseDurations } from './durations.ts';

const INSTALL = { name: 'install', run: 'npm ci', workdir: '.' };
const TEST = { name: 'test packages/cart', run: 'npm test', workdir: 'packages/cart' };
const LEARNED: LearnedDurations = {
  startUp: { ms: 1_000, runs: 9 },
  steps: { [stepKey(INSTALL)]: { ms: 8_000, runs: 9 }, [stepKey(TEST)]: { ms: 40_000, runs: 7 } },
};
const JOB = { key: 'test-packages-cart', kind: 'test', unit: 'packages/cart' } as const;

describe('durations to estimate with', () => {
  it('given what was learned, then a job that runs takes its start and its steps', () => {
    const durations = parseDurations(JSON.stringify(LEARNED));
    expect(durations?.learned).toEqual(LEARNED);
    expect(durations?.msOf({ ...JOB, steps: [INSTALL, TEST] })).toBe(49_000);
  });

  it('given a job that does not run, then it takes its start and its own command', () => {
    expect(parseDurations(JSON.stringify(LEARNED))?.msOf(JOB)).toBe(41_000);
  });

  it('given a shard, then it takes its share of the suite', () => {
    const shard = { ...TEST, run: 'npm test -- --shard=2/4', share: { of: stepKey(TEST), number: 2, count: 4 } };
    expect(parseDurations(JSON.stringify(LEARNED))?.msOf({ ...JOB, steps: [shard] })).toBe(11_000);
  });

  it('given a step that nobody measured, then it counts as the average of the others', () => {
    const steps = [{ name: 'lint', run: 'eslint .', workdir: '.' }];
    expect(parseDurations(JSON.stringify(LEARNED))?.msOf({ key: 'lint', kind: 'lint', unit: '.', steps })).toBe(25_000);
  });

  it('given milliseconds by job key, then jobs are known by their keys, and nothing is planned with it', () => {
    const durations = parseDurations('{ "test-packages-cart": 120000 }');
    expect([durations?.msOf(JOB), durations?.msOf({ ...JOB, key: 'other' }), durations?.learned]).toEqual([
      120_000,
      120_000,
      null,
    ]);
  });

  it.each(['', '[]', '7', '{ "a": "b" }', '{ "a": -1 }'])('given %j, then it is refused', (text) => {
    expect(parseDurations(text)).toBeNull();
  });
});
