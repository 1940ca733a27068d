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

  it.each([sortedText, orderedText])('are told apart at any depth: %p', (textOf) => {
    const deep = (levels: number, end: unknown): unknown => {
      let value = end;
      for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { in: value };
      return value;
    };
    for (const levels of [60, 64, 65, 100_000]) {
      expect(textOf(deep(levels, 1))).toBe(textOf(deep(levels, 1)));
      expect(textOf(deep(levels, 1))).not.toBe(textOf(deep(levels, 2)));
    }
  });

  it('law: a text in which members stand as written is the JSON of the value', () => {
    const noNumbers = fc.stringMatching(/^[a-z]{1,3}$/u);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string(),
        fc.integer(),
        fc.constantFrom(true, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(noNumbers, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(fc.property(value, (each) => expect(orderedText(each)).toBe(JSON.stringify(each))));
  });

  it('given what aliases make of a few lines, then its text ends in an error instead of in no memory', () => {
    let value: unknown[] = ['a'];
    for (let level = 0; level < 40; level += 1) value = [value, value];
    expect(() => sortedText(value)).toThrow(RangeError);
  });
});
