import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { balanced } from './balance.ts';

const anyWeights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 7 });
const weighted = (weights: readonly number[]) => weights.map((weight, item) => ({ item, weight }));
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** The lightest that the heaviest part can be, by trying everything. */
function best(weights: readonly number[], count: number): number {
  const place = (at: number, sums: readonly number[]): number => {
    const weight = weights[at];
    if (weight === undefined) return Math.max(...sums);
    return Math.min(
      ...sums.map((_, bin) =>
        place(
          at + 1,
          sums.map((sum, each) => (each === bin ? sum + weight : sum)),
        ),
      ),
    );
  };
  return place(
    0,
    Array.from({ length: count }, () => 0),
  );
}

describe('parts of like weight', () => {
  it('take the heaviest first, and keep the order of the items', () => {
    expect(balanced(weighted([1, 2, 8, 1, 4]), 2)).toEqual([[2], [0, 1, 3, 4]]);
  });

  it('law: every item is in exactly one part', () => {
    fc.assert(
      fc.property(anyWeights, fc.integer({ min: 1, max: 4 }), (weights, count) => {
        const items = balanced(weighted(weights), count).flat();
        expect(items.toSorted((one, other) => one - other)).toEqual(weights.map((_, at) => at));
      }),
    );
  });

  it('law: the heaviest part weighs at most four thirds of what it must', () => {
    fc.assert(
      fc.property(anyWeights, fc.integer({ min: 1, max: 3 }), (weights, count) => {
        const heaviest = Math.max(
          ...balanced(weighted(weights), count).map((part) => sumOf(part.map((at) => weights[at] ?? 0))),
        );
        expect(heaviest).toBeLessThanOrEqual((4 / 3) * best(weights, count));
      }),
    );
  });

  it('law: no part has more items than it may', () => {
    fc.assert(
      fc.property(anyWeights, fc.integer({ min: 1, max: 4 }), (weights, count) => {
        const most = Math.ceil(weights.length / count);
        expect(balanced(weighted(weights), count, most).every((part) => part.length <= most)).toBe(true);
      }),
    );
  });
});
