import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { maskCredentials, mostTellingLine, oneSafeLine, safeLines } from './text-for-people.ts';

describe('masking', () => {
  it('given credentials in URLs and headers, when masked, then the rest of the text stays', () => {
    expect(maskCredentials('fatal: https://me:fake@x/o/r and ssh://token@y failed')).toBe(
      'fatal: https://***@x/o/r and ssh://***@y failed',
    );
    expect(maskCredentials('> Authorization: Basic ZmFrZQ==\nnext')).toBe('> Authorization: Basic ***\nnext');
  });

  it('given any secret, when it stands in a text plainly, URL-encoded or in base64, then it is gone', () => {
    const secret = fc.string({ minLength: 8, maxLength: 30, unit: 'grapheme-ascii' });
    fc.assert(
      fc.property(secret, fc.string({ maxLength: 5 }), (hidden, around) => {
        const encoded = [hidden, encodeURIComponent(hidden), Buffer.from(hidden).toString('base64')];
        for (const form of encoded) {
          expect(maskCredentials(`(${around})${form}(${around})`, [hidden])).not.toContain(form);
        }
      }),
    );
  });
});

describe('text of strangers', () => {
  it('given any text, when made safe, then nothing in it moves a cursor or hides', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(oneSafeLine(text, 50)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(safeLines(text, 50).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(safeLines(text, 50).length).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('given several lines, when one is asked for, then it is the one that git marks as an error', () => {
    expect(mostTellingLine('remote: hello\nwarning: x\nfatal: the cause\nmore')).toBe('fatal: the cause');
    expect(mostTellingLine('only this')).toBe('only this');
  });
});
