import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type Json } from '@delta-ci/contracts';
import fc from 'fast-check';
import { isSameValue, orderedText, sortedText } from './parsed-values.ts';

describe('values of JSON', () => {
  it('law: are the same when and only when their canonical texts are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        // JSON has one zero.
        const [left, right] = [JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))] as [Json, Json];
        expect(isSameValue(left, right)).toBe(canonicalJson(left) === canonicalJson(right));
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

  it('law: have one sorted text when and only when they are the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (one, other) => {
        expect(sortedText(one) === sortedText(other)).toBe(isSameValue(one, other));
      }),
    );
  });

  it.each([sortedText, orderedText])('a record is no list of pairs: %p', (textOf) => {
    expect(textOf({ a: 1 })).not.toBe(textOf([['a', 1]]));
    expect(textOf({})).not.toBe(textOf([]));
  });
});
