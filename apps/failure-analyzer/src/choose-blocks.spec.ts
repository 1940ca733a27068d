import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BLOCKS_MAX, chooseBlocks, type BlockRange } from './choose-blocks.ts';

const holds = (ranges: readonly BlockRange[], block: number): boolean =>
  ranges.some(({ from, to }) => block >= from && block < to);

describe('the blocks of a log that are looked at', () => {
  it('given a short log, then all of it', () => {
    expect(chooseBlocks(0, new Set(), null)).toEqual([]);
    expect(chooseBlocks(BLOCKS_MAX, new Set(), null)).toEqual([{ from: 0, to: BLOCKS_MAX }]);
  });

  it('given a long log, then its ends, both ends of the failed step, and notable blocks of the step before others', () => {
    const everywhere = new Set(Array.from({ length: 1_000 }, (_, block) => block));
    const ranges = chooseBlocks(1_000, everywhere, { from: 500, to: 700 });
    expect([0, 999, 500, 699, 510].map((block) => holds(ranges, block))).toEqual([true, true, true, true, true]);
    expect(holds(ranges, 100)).toBe(false);
  });

  it('never takes more than the bound, in order and without overlap', () => {
    const step = fc.option(fc.record({ from: fc.nat(5_000), to: fc.nat(5_000) }));
    fc.assert(
      fc.property(fc.nat(4_096), fc.uniqueArray(fc.nat(4_095), { maxLength: 300 }), step, (count, notable, failed) => {
        const ranges = chooseBlocks(count, new Set(notable), failed);
        expect(ranges.reduce((sum, { from, to }) => sum + to - from, 0)).toBeLessThanOrEqual(BLOCKS_MAX);
        expect(ranges.every(({ from, to }, at) => from < to && to <= count && from > (ranges[at - 1]?.to ?? -1))).toBe(
          true,
        );
      }),
    );
  });
});
