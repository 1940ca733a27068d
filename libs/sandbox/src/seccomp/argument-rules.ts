/** A comparison of the lower 32 bits of an argument: those under `mask` equal `value`. */
export type MaskedValue = { readonly mask: number; readonly value: number };

const ALL_BITS = 0xffffffff;

/** Exactly this value, whatever the upper half of the register holds: the kernel does not look at that either. */
export const equalTo = (value: number): MaskedValue => ({ mask: ALL_BITS, value });

const bitOf = (value: number, bit: number): number => Math.floor(value / 2 ** bit) % 2;

function outside(values: readonly number[], bit: number, prefix: MaskedValue): readonly MaskedValue[] {
  if (values.length === 0) return [prefix];
  if (bit < 0) return [];
  return [0, 1].flatMap((set) => {
    const sharing = values.filter((value) => bitOf(value, bit) === set);
    return outside(sharing, bit - 1, { mask: prefix.mask + 2 ** bit, value: prefix.value + set * 2 ** bit });
  });
}

/**
 * Comparisons one of which holds for every 32-bit value but these. A profile can only say what equals, and its
 * `not equal` looks at all 64 bits, so that a stray upper bit would pass; hence the whole way round, bit by bit.
 */
export const unequalTo = (values: readonly number[]): readonly MaskedValue[] =>
  outside(values, 31, { mask: 0, value: 0 });
