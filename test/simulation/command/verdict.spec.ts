import { describe, expect, it } from '@jest/globals';
import { INVARIANTS } from '../invariants/tally.ts';
import { SOMETIMES } from '../world/sometimes.ts';
import { Totals } from './totals.ts';
import { summed, verdictOf } from './verdict.ts';

const result = (seed: number, happened: string, broken: string | null) => ({
  seed,
  mode: 'safety' as const,
  steps: 10,
  digest: '',
  counts: Object.fromEntries(INVARIANTS.map((name) => [name, 2])) as never,
  sometimes: Object.fromEntries(SOMETIMES.map((name) => [name, name === happened ? 1 : 0])) as never,
  broken: broken === null ? null : { invariant: broken, detail: '', last: [] },
});

function verdict(range: string, ...results: ReturnType<typeof result>[]) {
  const totals = new Totals();
  for (const one of results) totals.add(one);
  return verdictOf(totals, range, 'c0ffee', 2);
}

describe('verdicts of ranges', () => {
  it('given two of them, when they are added up, then all seeds count and only what neither provoked is missing', () => {
    const [first, ...others] = SOMETIMES;
    const one = verdict('1-2', result(1, first, null), result(2, first, '2 fences'));
    const other = verdict('3-3', result(3, 'the bus was away', null));
    const both = summed([one, other]);
    expect(both).toMatchObject({ commits: ['c0ffee'], ranges: ['1-2', '3-3'], seeds: 3, steps: 30, failed: 1 });
    expect(both.failures).toEqual([{ seed: 2, mode: 'safety', invariant: '2 fences' }]);
    expect(both.checks['2 fences']).toBe(6);
    expect(both.missing).toEqual(others.filter((name) => name !== 'the bus was away'));
    expect(both.wallSeconds).toBe(4);
  });
});
