import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSameValue, sortedText } from './parsed-values.ts';

describe('values of JSON', () => {
  it('law: are the same when and only when their sorted texts are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        // JSON has one zero.
        const [left, right] = [JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))] as unknown[];
        expect(isSameValue(left, right)).toBe(sortedText(left) === sortedText(right));
        expect(isSameValue(left, structuredClone(left))).toBe(true);
      }),
    );
  });

  it.each([
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [{ a: undefined }, { b: undefined }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
  ])('%j and %j: %s', (one, other, same) => {
    expect(isSameValue(one, other)).toBe(same);
  });
});
