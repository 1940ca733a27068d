import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';
import { safeJson, safeLine, safeLogLine, safeText } from './safe-text.ts';

const unsafe = (text: string): boolean => /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(text);

describe('text of strangers', () => {
  it('given anything, nothing that a terminal obeys is left', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(unsafe(safeText(text))).toBe(false);
        expect(unsafe(safeLogLine(text))).toBe(false);
        expect(/[\n\t]/u.test(safeLine(text))).toBe(false);
      }),
    );
  });

  it('given anything as JSON, nothing that a terminal obeys is left, and a parser reads the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const told = { [text]: value, text };
        const json = safeJson(told, 2);
        expect(unsafe(json)).toBe(false);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(told)));
      }),
    );
  });

  it('given a title sequence and a reordering mark, they are shown', () => {
    expect(safeText('a\u001b]0;owned\u0007b\u202ec\u009bd\u061ce')).toBe(
      'a\u241b]0;owned\u2407b<U+202E>c<U+009B>d<U+061C>e',
    );
  });

  it('given a log line with colours and a progress bar, what it would leave standing is left', () => {
    expect(safeLogLine('10%\r50%\r\u001b[32m100%\u001b[0m\r')).toBe('100%');
  });
});

describe('lines out of chunks', () => {
  it('given any cuts, the lines are the same and no character is torn', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(50)), (text, cuts) => {
        const bytes = Buffer.from(text);
        const lines: string[] = [];
        const splitter = new LineSplitter((line) => lines.push(line));
        const at = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((one, other) => one - other),
          bytes.length,
        ];
        for (const [index, from] of at.entries()) splitter.write(bytes.subarray(from, at[index + 1] ?? from));
        splitter.end();
        const expected = bytes
          .toString('utf8')
          .replace(/^\ufeff/u, '')
          .split('\n');
        expect(lines).toEqual(expected.at(-1) === '' ? expected.slice(0, -1) : expected);
      }),
    );
  });
});
