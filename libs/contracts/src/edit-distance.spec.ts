import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editDistance } from './edit-distance.ts';

describe('how far two texts are apart', () => {
  it.each([
    ['', '', 0],
    ['steps', 'steps', 0],
    ['stepz', 'steps', 1],
    ['retry', 'retries', 3],
    ['', 'env', 3],
    ['egres', 'egress', 1],
  ])('%j and %j', (one, other, distance) => {
    expect(editDistance(one, other)).toBe(distance);
  });

  it('law: it is a distance', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});
