import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePath, encodePath } from './path-bytes.ts';

/** Bytes in which UTF-8, broken UTF-8 and our own escapes are all likely. */
const tricky = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom('a', '/', 'ü', '日', '🎉', '\u{10FE80}', '\u{10FEFF}', '\u{10FF00}', '\uFFFD')
        .map((text) => Buffer.from(text)),
      fc.constantFrom('f48fba', 'f48fbbbf', 'eda080', 'c0af', 'fe', 'e99f').map((hex) => Buffer.from(hex, 'hex')),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.from(Buffer.concat(parts).filter((byte) => byte !== 0)));

describe('paths as strings', () => {
  it('given any bytes without NUL, when decoded and encoded, then they are the same bytes', () => {
    fc.assert(
      fc.property(tricky, (bytes) => {
        const encoded = encodePath(decodePath(bytes));
        expect(encoded.ok && encoded.value.equals(bytes)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('given any bytes, when decoded, then the string is well-formed', () => {
    fc.assert(
      fc.property(tricky, (bytes) => decodePath(bytes).isWellFormed()),
      { numRuns: 2_000 },
    );
  });

  it('given any string, when it is accepted, then it is what its bytes decode to', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (path) => {
        const encoded = encodePath(path);
        return encoded.ok ? decodePath(encoded.value) === path : encoded.error.code === 'invalid_path';
      }),
    );
  });

  it('given valid UTF-8, when decoded, then it is read as such, whatever is in it', () => {
    expect(decodePath(Buffer.from('a/ü/\n/日本語'))).toBe('a/ü/\n/日本語');
  });

  it('given a byte that is not UTF-8, when decoded, then one code point stands for it and the rest keeps its place', () => {
    expect(decodePath(Buffer.from([0x61, 0x2f, 0xe9, 0x2f, 0x62]))).toBe('a/\u{10FEE9}/b');
  });

  it.each(['a\0b', '\ud800', '\u{10FEC3}\u{10FEBC}'])('given %j, when encoded, then it is refused', (path) => {
    const encoded = encodePath(path);
    expect(!encoded.ok && encoded.error.code).toBe('invalid_path');
  });
});
