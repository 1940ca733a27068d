import { describe, expect, it } from '@jest/globals';
import { parseTrialArguments } from './arguments.ts';
import { exitCodeOf, reportText, type TrialReport } from './report.ts';

const parsed = (...args: string[]): ReturnType<typeof parseTrialArguments> =>
  parseTrialArguments(args, ['go', 'cargo']);

describe('how trials are asked for', () => {
  it('given nothing, all are made, and toolchains may be fetched', () => {
    expect(parsed()).toEqual({ kind: 'try', order: { only: null, fetch: true } });
  });

  it('given names, these are made', () => {
    expect(parsed('--only', 'go,cargo', '--no-fetch')).toEqual({
      kind: 'try',
      order: { only: ['go', 'cargo'], fetch: false },
    });
  });

  it.each([['--only', 'zig'], ['--only', ','], ['--all'], ['go']])('given %j, it says what is wrong', (...args) => {
    expect(parsed(...args)).toMatchObject({ kind: 'usage', problem: expect.any(String) });
  });
});

describe('what trials came to, in words', () => {
  const stage = { what: 'a bug', jobs: 3, durationMs: 1_250, differences: [] };
  const made = (differences: readonly string[]): TrialReport => ({
    name: 'go',
    version: 'go version go1.19',
    stages: [{ ...stage, differences }],
    skipped: null,
  });
  const skipped: TrialReport = { name: 'ruby', skipped: 'not there' };

  it('given some left out, they are named and counted', () => {
    const text = reportText([made([]), skipped]);
    expect(text).toContain('  a bug: 3 jobs in 1.3 s, as it should be\n');
    expect(text).toContain('ruby: not made: not there\n');
    expect(text).toContain('1 of 2 trials made, 1 left out; 1 plans, 3 jobs; 0 plans not as they should be\n');
  });

  it('the exit code tells what came of them', () => {
    expect([exitCodeOf([made([]), skipped]), exitCodeOf([made(['no'])]), exitCodeOf([skipped])]).toEqual([0, 1, 3]);
  });
});
