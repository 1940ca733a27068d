import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equalTo, unequalTo, type MaskedValue } from './argument-rules.ts';

const holds = (argument: bigint, { mask, value }: MaskedValue): boolean => (argument & BigInt(mask)) === BigInt(value);

const register = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('comparisons of arguments', () => {
  it('equalTo holds for a value and no other, whatever the upper half of the register', () => {
    fc.assert(
      fc.property(register, word, (argument, value) => {
        expect(holds(argument, equalTo(value))).toBe((argument & 0xffffffffn) === BigInt(value));
        expect(holds((argument & ~0xffffffffn) | BigInt(value), equalTo(value))).toBe(true);
      }),
    );
  });

  it('of unequalTo exactly one holds for a value outside, and none for one inside', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 4 }), register, word, (values, argument, other) => {
        const rules = unequalTo(values);
        const held = (low: bigint): number =>
          rules.filter((rule) => holds((argument & ~0xffffffffn) | low, rule)).length;
        for (const value of values) expect(held(BigInt(value))).toBe(0);
        expect(held(BigInt(other))).toBe(values.includes(other) ? 0 : 1);
      }),
    );
  });
});
