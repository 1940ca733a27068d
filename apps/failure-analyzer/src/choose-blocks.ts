/** Blocks `[from, to)`, counted from the start of the log. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

/** Tools announce themselves at the head and sum up at the tail. In blocks of 16 KiB. */
const HEAD_BLOCKS = 8;
const TAIL_BLOCKS = 16;
/** The failed step has a head and a tail of its own. */
const STEP_HEAD_BLOCKS = 8;
const STEP_TAIL_BLOCKS = 16;
/** All windows together: 1.5 MiB, which the rules look through in well under a second. */
export const BLOCKS_MAX = 96;

/**
 * Which blocks of a log are looked at, merged into ranges in order: all of a short one; of a long one the ends of the log
 * and of the failed step, then notable blocks with the one after each, those of the failed step first.
 */
export function chooseBlocks(
  count: number,
  notable: ReadonlySet<number>,
  failedStep: BlockRange | null,
): readonly BlockRange[] {
  if (count <= BLOCKS_MAX) return count === 0 ? [] : [{ from: 0, to: count }];
  const step = failedStep ?? { from: count, to: count };
  const chosen = new Set<number>();
  const take = (from: number, to: number): void => {
    for (let block = Math.max(0, from); block < Math.min(count, to) && chosen.size < BLOCKS_MAX; block += 1)
      chosen.add(block);
  };
  take(0, HEAD_BLOCKS);
  take(count - TAIL_BLOCKS, count);
  take(step.from, Math.min(step.to, step.from + STEP_HEAD_BLOCKS));
  take(Math.max(step.from, step.to - STEP_TAIL_BLOCKS), step.to);
  const inOrder = [...notable].sort((a, b) => a - b);
  const ofStep = inOrder.filter((block) => block >= step.from && block < step.to);
  for (const block of [...ofStep, ...inOrder]) take(block, block + 2);
  return merged([...chosen].sort((a, b) => a - b));
}

function merged(blocks: readonly number[]): BlockRange[] {
  const ranges: BlockRange[] = [];
  for (const block of blocks) {
    const last = ranges.at(-1);
    if (last?.to === block) ranges[ranges.length - 1] = { from: last.from, to: block + 1 };
    else ranges.push({ from: block, to: block + 1 });
  }
  return ranges;
}
