import { describe, expect, it } from '@jest/globals';
import type { Figure } from './figure.ts';
import { GOALS, judge, type Goal } from './goals.ts';

const append = (value: number): Figure => ({
  name: 'append.run-events',
  value,
  unit: '/s',
  raw: { what: 'insert', value: 50_000 },
});
const rate = (name: string, value: number): Figure => ({ name, value, unit: '/s' });
const verdicts = (figures: Figure[], goals: readonly Goal[]): string[] =>
  judge(figures, goals).map(({ verdict }) => verdict);

describe('a goal', () => {
  const share: Goal = { figure: 'append.run-events', of: 'raw', least: 0.35, why: '' };
  const quick: Goal = { figure: 'webhook-to-lease.p50', of: 'value', unit: 'ms', most: 15, why: '' };
  const race: Goal = { figure: 'peers.ours-bus', aheadOf: 'peers.bullmq', why: '' };

  it.each([
    [17_500, 'met', '0.35 of raw'],
    [17_000, 'not met', '0.34 of raw'],
  ])('of a share of the raw limit, given %d of 50,000 per second, then it is %s', (value, verdict, found) => {
    expect(judge([append(value)], [share])).toEqual([{ goal: share, verdict, found, wanted: 'at least 0.35 of raw' }]);
  });

  it('of a time is met by what takes no longer', () => {
    const time = (value: number): Figure => ({ name: 'webhook-to-lease.p50', value, unit: 'ms' });
    expect(verdicts([time(15)], [quick])).toEqual(['met']);
    expect(verdicts([time(15.1)], [quick])).toEqual(['not met']);
    expect(judge([time(15.1)], [quick])[0]).toMatchObject({ wanted: 'at most 15 ms', found: '15.1 ms' });
  });

  it('of a race needs both sides', () => {
    const ours = rate('peers.ours-bus', 2_000);
    expect(verdicts([ours, rate('peers.bullmq', 1_999)], [race])).toEqual(['met']);
    expect(verdicts([ours, rate('peers.bullmq', 2_000)], [race])).toEqual(['not met']);
    expect(verdicts([ours], [race])).toEqual(['not measured']);
  });

  it('of what was not measured, or gave no number, is not judged', () => {
    expect(verdicts([], [share, quick])).toEqual(['not measured', 'not measured']);
    expect(judge([], [quick])[0]).toMatchObject({ wanted: 'at most 15 ms', found: '' });
    expect(verdicts([{ name: 'append.run-events', value: 1, unit: '/s' }], [share])).toEqual(['not measured']);
    expect(verdicts([{ name: 'webhook-to-lease.p50', value: Number.NaN, unit: 'ms' }], [quick])).toEqual([
      'not measured',
    ]);
  });
});

describe('a goal and its figure', () => {
  it('of two units are not compared', () => {
    const goal: Goal = { figure: 'webhook-to-lease.p50', of: 'value', unit: 'ms', most: 15, why: '' };
    const inSeconds: Figure = { name: 'webhook-to-lease.p50', value: 1, unit: 's' };
    expect(() => judge([inSeconds], [goal])).toThrow('webhook-to-lease.p50 is in "s", its goal in "ms"');
  });
});

describe('the goals', () => {
  it('are each said once', () => {
    const said = GOALS.map((goal) => `${goal.figure} ${'aheadOf' in goal ? goal.aheadOf : goal.of}`);
    expect(new Set(said).size).toBe(said.length);
  });
});
