import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { medianExcess } from './median-excess.ts';

describe('what something takes beyond something else', () => {
  it('given samples of both, some of them disturbed, then it is the difference of their middles', () => {
    expect(medianExcess('a flood', [610, 600, 2_000, 590, 605], [100, 900, 110, 105, 95])).toBe(500);
  });

  it.each([
    ['that are the other way round', [100, 110, 105], [100, 200, 300]],
    ['that are alike', [100, 100, 100], [100, 100, 100]],
    ['of which there are none', [], []],
    ['of which one is none', [Number.NaN], [1]],
  ])('given samples %s, then they are refused by what they are of, with both', (_, more, less) => {
    expect(() => medianExcess('a flood', more, less)).toThrow(/a flood takes no longer than nothing does.*\[.*\[/u);
  });

  it('given any samples, then it is positive, or there is none', () => {
    const samples = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxLength: 9 });
    fc.assert(
      fc.property(samples, samples, (more, less) => {
        let excess: number;
        try {
          excess = medianExcess('it', more, less);
        } catch {
          return;
        }
        expect(excess).toBeGreaterThan(0);
      }),
    );
  });
});
