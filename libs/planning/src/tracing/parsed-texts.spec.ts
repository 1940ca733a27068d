import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ParsedTexts } from './parsed-texts.ts';

/** A parser that tells which paths it was given. */
function aParser() {
  const parsed: string[] = [];
  const parse = (text: string, path: string): string => {
    parsed.push(path);
    return `${path}: ${text}`;
  };
  return { parsed, parse };
}

describe('texts that were parsed', () => {
  it('given a text at the place where it stood before, then it is not parsed again', () => {
    const { parsed, parse } = aParser();
    const texts = new ParsedTexts();
    for (const text of ['x', 'x', 'y', 'y']) expect(texts.read(parse, 'a', text)).toBe(`a: ${text}`);
    expect(parsed).toEqual(['a', 'a']);
  });

  it('given more text than is kept, then it begins anew instead of holding what strangers wrote', () => {
    const { parsed, parse } = aParser();
    const texts = new ParsedTexts(20);
    for (const path of ['a', 'b', 'a']) texts.read(parse, path, 'x'.repeat(12));
    expect(parsed).toEqual(['a', 'b', 'a']);
  });

  it('given a text that is longer than all that is kept, then the others stay', () => {
    const { parsed, parse } = aParser();
    const texts = new ParsedTexts(20);
    texts.read(parse, 'a', 'x');
    texts.read(parse, 'b', 'x'.repeat(20));
    texts.read(parse, 'a', 'x');
    expect(parsed).toEqual(['a', 'b']);
  });

  it('given a place whose text changes again and again, then what stood there before counts no more', () => {
    const { parsed, parse } = aParser();
    const texts = new ParsedTexts(20);
    texts.read(parse, 'a', 'x');
    for (let at = 0; at < 9; at += 1) texts.read(parse, 'b', `text ${at}`);
    texts.read(parse, 'a', 'x');
    expect(parsed.filter((path) => path === 'a')).toEqual(['a']);
  });

  it('law: however little is kept, a text says what it says', () => {
    const anyRead = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 8 }));
    fc.assert(
      fc.property(fc.nat(20), fc.array(anyRead), (charactersMax, reads) => {
        const texts = new ParsedTexts(charactersMax);
        const { parse } = aParser();
        for (const [path, text] of reads) expect(texts.read(parse, path, text)).toBe(`${path}: ${text}`);
      }),
    );
  });
});
