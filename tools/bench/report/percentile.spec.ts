import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { median, percentile } from './percentile.ts';

describe('a percentile', () => {
  it('given a hundred samples in any order, then it is the one below which that share lies', () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(samples, share))).toEqual([1, 51, 100, 100]);
  });

  it('given no samples, then it is no number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('given any samples, then it is one of them, and a larger share gives none that is smaller', () => {
    const samples = fc.array(fc.integer(), { minLength: 1 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(samples, share, share, (all, one, other) => {
        const [small, large] = [percentile(all, Math.min(one, other)), percentile(all, Math.max(one, other))];
        expect(all).toContain(small);
        expect(large).toBeGreaterThanOrEqual(small);
        expect(all).toContain(median(all));
      }),
    );
  });
});
