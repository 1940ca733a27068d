import {
  BLOCK_BYTES,
  lineAt,
  linesIn,
  locateLines,
  type LineSelection,
  type LocatedLines,
  type LogStore,
  type ReadBlock,
} from '@delta-ci/artifact-store';
import type { AttemptRef } from '@delta-ci/contracts';

/** Lines that were asked for, and how much there is of the log by now. */
export interface FoundLines {
  /** Null when the log has not so many lines. */
  readonly located: LocatedLines | null;
  readonly lines: number;
  readonly sizeBytes: number;
  readonly isFinal: boolean;
}

export async function findLines(logs: LogStore, attempt: AttemptRef, selection: LineSelection): Promise<FoundLines> {
  const outline = await logs.outline(attempt);
  const located = await locateLines(outline, blocksOf(logs, attempt), selection);
  return { located, lines: linesIn(outline), sizeBytes: outline.sizeBytes, isFinal: outline.isFinal };
}

/** The number of the line that a byte of the log belongs to, from 1. */
export async function lineAtByte(logs: LogStore, attempt: AttemptRef, offset: number): Promise<number> {
  if (offset === 0) return 1;
  return lineAt(await logs.outline(attempt), blocksOf(logs, attempt), offset);
}

const blocksOf = (logs: LogStore, attempt: AttemptRef): ReadBlock => {
  return async (block) => logs.read(attempt, block * BLOCK_BYTES, BLOCK_BYTES);
};
