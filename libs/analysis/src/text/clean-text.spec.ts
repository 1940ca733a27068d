import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clipped, scrubbed, shownOnOneLine, withoutTerminalCodes } from './clean-text.ts';

describe('text from strangers', () => {
  it.each([
    ['\u001b[31mred\u001b[39m', 'red'],
    ['\u001b]8;;https://example.invalid\u0007link\u001b]8;;\u0007', 'link'],
    ['\u001b[31mFAILED\u001b(B\u001b[m.', 'FAILED.'],
    ['\u001b7plain\u001b(', 'plain'],
    ['\u009b1mbold', 'bold'],
    ['\u001b[', ''],
    ['no codes', 'no codes'],
  ])('%j without terminal codes is %j', (text, expected) => {
    expect(withoutTerminalCodes(text)).toBe(expected);
  });

  it('given unseen characters, then they are gone and letters of all scripts stay', () => {
    expect(scrubbed('a\u202eb\u0000c\u200bd\ud800e\ufeff')).toBe('abcde');
    expect(scrubbed('žluťoučký 購物車 🛒')).toBe('žluťoučký 購物車 🛒');
  });

  it('given a text over the limit, then it is cut between characters', () => {
    expect(clipped('ab🛒cd', 4)).toBe('ab…');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 2, max: 20 }), (text, max) => {
        expect(shownOnOneLine(text, max).length).toBeLessThanOrEqual(max);
        expect(shownOnOneLine(text, max)).not.toMatch(/[\n\t]/);
      }),
    );
  });
});
