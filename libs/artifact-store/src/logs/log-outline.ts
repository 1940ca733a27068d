/** A log is looked at in blocks of so many bytes: whoever wants a line reads the block in which it begins. */
export const BLOCK_BYTES = 128 * 1024;

const LINE_FEED = 0x0a;

/** Where the lines of a log are, to within a block. */
export interface LogOutline {
  readonly sizeBytes: number;
  /** Line feeds in each block; all blocks but the last are full. */
  readonly lineFeeds: readonly number[];
  readonly endsWithLineFeed: boolean;
  /** The attempt is over: the log stays as it is. */
  readonly isFinal: boolean;
}

/** Lines by their numbers, from 1 and both inclusive (`last` null: to the end), or so many before the end. */
export type LineSelection = { readonly first: number; readonly last: number | null } | { readonly tail: number };

/** Lines `first` to `last` are the bytes `[fromByte, toByte)`. There are none when `last` is less than `first`. */
export interface LocatedLines {
  readonly first: number;
  readonly last: number;
  readonly fromByte: number;
  readonly toByte: number;
}

/** Gives the bytes of a block, counted from 0. */
export type ReadBlock = (block: number) => Promise<Uint8Array>;

/** What stands behind the last line feed is a line too. */
export function linesIn({ sizeBytes, lineFeeds, endsWithLineFeed }: LogOutline): number {
  const ended = lineFeeds.reduce((sum, count) => sum + count, 0);
  return sizeBytes > 0 && !endsWithLineFeed ? ended + 1 : ended;
}

/**
 * Finds lines by reading two blocks at most, whatever the size of the log. Null when the log has not so many lines; the
 * last lines of an empty log are none.
 */
export async function locateLines(
  outline: LogOutline,
  readBlock: ReadBlock,
  selection: LineSelection,
): Promise<LocatedLines | null> {
  const total = linesIn(outline);
  const { sizeBytes } = outline;
  const first = 'tail' in selection ? Math.max(1, total - selection.tail + 1) : selection.first;
  if (first > total) {
    return 'tail' in selection ? { first, last: total, fromByte: sizeBytes, toByte: sizeBytes } : null;
  }
  const last = 'tail' in selection ? total : Math.min(selection.last ?? total, total);
  const fromByte = await startOf(outline, readBlock, first);
  const toByte = last === total ? sizeBytes : await startOf(outline, readBlock, last + 1);
  return { first, last, fromByte, toByte };
}

/** The number of the line that a byte belongs to. One block is read. */
export async function lineAt({ lineFeeds }: LogOutline, readBlock: ReadBlock, offset: number): Promise<number> {
  const block = Math.floor(offset / BLOCK_BYTES);
  const before = lineFeeds.slice(0, block).reduce((sum, count) => sum + count, 0);
  const inBlock = offset % BLOCK_BYTES;
  if (inBlock === 0) return before + 1;
  return before + lineFeedsIn((await readBlock(block)).subarray(0, inBlock)) + 1;
}

export function lineFeedsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count += 1;
  return count;
}

export const endsLine = (bytes: Uint8Array): boolean => bytes.at(-1) === LINE_FEED;

/** The byte at which a line begins: behind the line feed of the line before. The line has to be there. */
async function startOf({ lineFeeds }: LogOutline, readBlock: ReadBlock, line: number): Promise<number> {
  let [block, toSkip] = [0, line - 1];
  if (toSkip === 0) return 0;
  for (let count = lineFeeds[0] ?? 0; count < toSkip; count = lineFeeds[block] ?? Number.POSITIVE_INFINITY) {
    toSkip -= count;
    block += 1;
  }
  const bytes = await readBlock(block);
  let at = -1;
  for (; toSkip > 0; toSkip -= 1) at = bytes.indexOf(LINE_FEED, at + 1);
  return block * BLOCK_BYTES + at + 1;
}
