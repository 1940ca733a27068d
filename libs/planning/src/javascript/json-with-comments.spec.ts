import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJsonWithComments } from './json-with-comments.ts';

describe('JSON with comments', () => {
  it('given comments, trailing commas and a byte order mark, then what is meant is read', () => {
    const text = '\uFEFF{ // one\n "a": [1, 2, /* three, ] */ ], "b": "// no \\" comment, }", /* x */ }\n// end';
    expect(parseJsonWithComments(text)).toEqual({ a: [1, 2], b: '// no " comment, }' });
  });

  it.each(['', '{', '[1,,2]', '{ "a": 1 /* never closed', '"never closed', '{ a: 1 }', '[1] [2]'])(
    'given %j, then it is none',
    (text) => {
      expect(parseJsonWithComments(text)).toBeUndefined();
    },
  );

  it('law: whatever is plain JSON means the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, null, 2);
        expect(JSON.stringify(parseJsonWithComments(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('given very many beginnings that never end, then it is read once', () => {
    for (const hostile of ['/*', '"\\"', '{"', ',/', '//']) {
      expect(parseJsonWithComments(hostile.repeat(100_000))).toBeUndefined();
    }
  });
});
