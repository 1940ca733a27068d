import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JSON_DEPTH_MAX, parseJson } from './parse-json.ts';

const nested = (depth: number): Buffer => Buffer.from('['.repeat(depth) + ']'.repeat(depth));

describe('parsing JSON of strangers', () => {
  it('takes what JSON takes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => {
        expect(parseJson(Buffer.from(JSON.stringify(value)))).toEqual({
          ok: true,
          value: JSON.parse(JSON.stringify(value)),
        });
      }),
    );
  });

  it('takes nesting up to its limit, and no more', () => {
    expect(parseJson(nested(JSON_DEPTH_MAX)).ok).toBe(true);
    expect(parseJson(nested(JSON_DEPTH_MAX + 1)).ok).toBe(false);
  });

  it('halves of characters, which only escapes can write, are replaced; whole ones stay', () => {
    const text = String.raw`{"a":"\ud800x","b":["\uDFFF"],"c":"\ud83d\ude00"}`;
    expect(parseJson(Buffer.from(text))).toEqual({ ok: true, value: { a: '\ufffdx', b: ['\ufffd'], c: '\u{1f600}' } });
  });

  it('brackets inside strings are no nesting', () => {
    expect(parseJson(Buffer.from(JSON.stringify(`"${'[{'.repeat(1_000)}\\`))).ok).toBe(true);
  });

  it.each([
    ['no JSON', Buffer.from('{"a":'), 'not JSON'],
    ['nothing', Buffer.alloc(0), 'not JSON'],
    ['a string that never ends', Buffer.from('"\\'), 'not JSON'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not UTF-8'],
  ])('given %s, then it says so', (_name, bytes, problem) => {
    expect(parseJson(bytes)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('whatever the bytes, it answers', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof parseJson(bytes).ok === 'boolean'));
  });
});
