import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, type Json } from './canonical-json.ts';
import { firstDifference } from './json-difference.ts';

describe('the first difference of two values', () => {
  it.each<[Json, Json, string, Json | undefined, Json | undefined]>([
    [{ jobs: [{ key: 'a' }] }, { jobs: [{ key: 'b' }] }, 'jobs[0].key', 'a', 'b'],
    [{ a: 1, b: 2 }, { b: 3, a: 0 }, 'a', 1, 0],
    [[1], [1, 2], '[1]', undefined, 2],
    [{ reason: '' }, {}, 'reason', '', undefined],
    [{ a: [] }, { a: {} }, 'a', [], {}],
    [null, 0, '', null, 0],
  ])('of %j and %j is at "%s"', (one, other, field, recorded, decided) => {
    expect(firstDifference(one, other)).toEqual({ field, recorded, decided });
  });

  it('law: there is none exactly when both have the same canonical text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (one, other) => {
        const [left, right] = [one, other].map((value) => JSON.parse(JSON.stringify(value)) as Json) as [Json, Json];
        expect(firstDifference(left, left)).toBeNull();
        expect(firstDifference(left, right) === null).toBe(canonicalJson(left) === canonicalJson(right));
      }),
    );
  });
});
