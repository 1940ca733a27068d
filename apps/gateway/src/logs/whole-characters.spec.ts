import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wholeCharacters } from './whole-characters.ts';

describe('whole characters', () => {
  it('however a text is cut, its parts read the same as the whole', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (text, sizes) => {
          const bytes = Buffer.from(text);
          let read = '';
          let from = 0;
          for (let to = 0, at = 0; to < bytes.length; at += 1) {
            to = Math.min(bytes.length, to + (sizes[at % sizes.length] ?? 1));
            const part = bytes.subarray(from, to);
            const length = wholeCharacters(part);
            read += part.subarray(0, length).toString('utf8');
            from += length;
          }
          expect(read).toBe(bytes.toString('utf8'));
        },
      ),
    );
  });

  it('bytes that are no text wait for at most three more', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => bytes.length - wholeCharacters(bytes) <= 3));
  });
});
