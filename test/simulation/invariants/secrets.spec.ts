import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { longHexIn } from './secrets.ts';

describe('the search for long hexadecimal texts', () => {
  it('finds what a regular expression finds', () => {
    const digits = fc.string({ unit: fc.constantFrom('a', 'f', '0', '9'), maxLength: 150 });
    const other = fc.string({ unit: fc.constantFrom('g', 'A', '/', ':', '`', '\n'), maxLength: 70 });
    fc.assert(
      fc.property(fc.array(fc.oneof(digits, other), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        expect(longHexIn(text)).toEqual(text.match(/[0-9a-f]{64}/g) ?? []);
      }),
    );
  });
});
