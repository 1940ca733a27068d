import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Random } from './random.ts';

const drawn = (seed: number, use: string, count = 5): number[] => {
  const random = new Random(seed, use);
  return Array.from({ length: count }, () => random.bits());
};

describe('chance', () => {
  it('is the same for a seed on every machine', () => {
    expect(drawn(1, 'spec')).toMatchInlineSnapshot(`
      [
        2051943297,
        3774380541,
        1318048327,
        258121475,
        3822062696,
      ]
    `);
  });

  it('is another for another seed, and for another use of the same seed', () => {
    expect(new Set([drawn(1, 'a'), drawn(2, 'a'), drawn(1, 'b')].map(String)).size).toBe(3);
  });

  it('stays within the bounds it is asked for', () => {
    const bounds = fc.tuple(fc.nat(), fc.integer({ min: -1_000, max: 1_000 }), fc.nat(1_000));
    fc.assert(
      fc.property(bounds, ([seed, low, span]) => {
        const value = new Random(seed, 'bounds').between(low, low + span);
        expect(Number.isInteger(value) && value >= low && value <= low + span).toBe(true);
      }),
    );
  });

  it('is about as frequent as it is likely', () => {
    const random = new Random(7, 'frequency');
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.3)).filter(Boolean).length;
    expect(hits).toBeGreaterThan(2_800);
    expect(hits).toBeLessThan(3_200);
  });
});
