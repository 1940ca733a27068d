import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeBound } from './escape-bound.ts';

const rounded = (bound: number): number => Number(bound.toFixed(4));

describe('the bound of the escape rate', () => {
  // Quantiles 0.95 of Beta(escapes + 1, samples - escapes), as any table of the beta distribution has them.
  it.each([
    [0, 1, 0.95],
    [0, 59, 0.0495],
    [0, 100, 0.0295],
    [1, 10, 0.3942],
    [1, 100, 0.0466],
    [2, 100, 0.0616],
    [5, 10, 0.7776],
    [9, 10, 0.9949],
  ])('given %i escapes in %i samples, then it is %d', (escapes, samples, bound) => {
    expect(rounded(escapeBound(escapes, samples))).toBe(bound);
  });

  it('is 1 where nothing was sampled, or everything escaped', () => {
    expect([escapeBound(0, 0), escapeBound(3, 3)]).toEqual([1, 1]);
  });

  it('law: without an escape it is 1 - 0.05^(1/n)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), (samples) => {
        expect(escapeBound(0, samples)).toBeCloseTo(1 - 0.05 ** (1 / samples), 10);
      }),
    );
  });

  it('law: it lies above what was seen, falls with samples and rises with escapes', () => {
    const anySamples = fc
      .integer({ min: 1, max: 2_000 })
      .chain((samples) => fc.record({ samples: fc.constant(samples), escapes: fc.integer({ min: 0, max: samples }) }));
    fc.assert(
      fc.property(anySamples, ({ samples, escapes }) => {
        const bound = escapeBound(escapes, samples);
        expect(bound).toBeGreaterThanOrEqual(escapes / samples);
        expect(bound).toBeLessThanOrEqual(1);
        expect(escapeBound(escapes, samples + 1)).toBeLessThanOrEqual(bound);
        expect(escapeBound(escapes + 1, samples + 1)).toBeGreaterThanOrEqual(bound);
      }),
    );
  });

  it('law: whatever the share is, it is too low in 5 % of all samples at most', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (share, samples) => {
          const misses = Array.from({ length: samples + 1 }, (_, escapes) =>
            escapeBound(escapes, samples) < share ? probability(escapes, samples, share) : 0,
          );
          expect(misses.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(0.05 + 1e-9);
        },
      ),
    );
  });
});

function probability(escapes: number, samples: number, share: number): number {
  let ways = 1;
  for (let at = 1; at <= escapes; at += 1) ways = (ways * (samples - escapes + at)) / at;
  return ways * share ** escapes * (1 - share) ** (samples - escapes);
}
