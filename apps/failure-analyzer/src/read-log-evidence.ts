import { NOTABLE_HINTS, type LineRange, type LogEvidence, type LogWindow } from '@delta-ci/analysis';
import type { LogStore } from '@delta-ci/artifact-store';
import { LOG_BYTES_MAX, stepFailed, type AttemptRef, type CompletionReport } from '@delta-ci/contracts';
import { chooseBlocks, type BlockRange } from './choose-blocks.ts';

/** Windows are made of whole blocks of this many bytes. */
export const BLOCK_BYTES = 16 * 1024;
/** Read at once; a multiple of the block. */
const CHUNK_BYTES = 64 * BLOCK_BYTES;
const NEWLINE = 0x0a;
const HINTS = NOTABLE_HINTS.map((hint) => Buffer.from(hint));

/** What one pass over the log found: per block, the newlines before it and whether a rule may match in it. */
interface LogScan {
  readonly size: number;
  readonly newlinesBefore: readonly number[];
  readonly notable: ReadonlySet<number>;
  readonly newlines: number;
  readonly endsWithNewline: boolean;
  readonly failedStep: LineRange | null;
}

/**
 * Windows of an attempt's log: its head, its tail, both ends of the failed step, and what stands around lines that a rule
 * may recognise. The whole log is passed over once, a chunk at a time; what is kept is bounded.
 */
export async function readLogEvidence(
  logs: Pick<LogStore, 'read'>,
  attempt: AttemptRef,
  report: CompletionReport | null,
  signal: AbortSignal,
): Promise<LogEvidence> {
  const bytes = failedStepBytes(report);
  const scan = await scanLog(logs, attempt, bytes, signal);
  const blocks = Math.ceil(scan.size / BLOCK_BYTES);
  const ranges = chooseBlocks(blocks, scan.notable, bytes === null ? null : blocksOf(bytes));
  const windows: LogWindow[] = [];
  for (const range of ranges) {
    signal.throwIfAborted();
    const window = await readWindow(logs, attempt, range, scan);
    if (window !== null) windows.push(window);
  }
  const totalLines = scan.newlines + (scan.size > 0 && !scan.endsWithNewline ? 1 : 0);
  const truncated = report?.logTruncated === true || scan.size >= LOG_BYTES_MAX;
  return { windows, totalLines, truncated, failedStep: scan.failedStep };
}

/** Bytes `[from, to)` of the log. */
interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** The bytes the failed step wrote; null when there is no such step or it wrote nothing. */
function failedStepBytes(report: CompletionReport | null): ByteRange | null {
  const step = report?.steps.find(stepFailed);
  return step === undefined || step.logRange.to <= step.logRange.from ? null : step.logRange;
}

function blocksOf({ from, to }: ByteRange): BlockRange {
  return { from: Math.floor(from / BLOCK_BYTES), to: Math.ceil(to / BLOCK_BYTES) };
}

async function scanLog(
  logs: Pick<LogStore, 'read'>,
  attempt: AttemptRef,
  step: ByteRange | null,
  signal: AbortSignal,
): Promise<LogScan> {
  const newlinesBefore: number[] = [];
  const notable = new Set<number>();
  const edges = { from: 0, to: 0 };
  let [offset, newlines, last] = [0, 0, NEWLINE];
  while (offset < LOG_BYTES_MAX) {
    signal.throwIfAborted();
    const read = await logs.read(attempt, offset, CHUNK_BYTES);
    if (read.byteLength === 0) break;
    const chunk = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    noteHints(chunk, offset, notable);
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      newlinesBefore.push(newlines);
      newlines += newlinesIn(chunk.subarray(at, at + BLOCK_BYTES));
    }
    if (step !== null) noteEdges(chunk, offset, newlinesBefore, step, edges);
    last = chunk.at(-1) ?? last;
    offset += chunk.length;
    // A chunk that is not full is the end: a log that still grows is read up to here.
    if (chunk.length < CHUNK_BYTES) break;
  }
  const failedStep = step === null || step.from >= offset ? null : stepLines(edges, newlines, step.to >= offset);
  return { size: offset, newlinesBefore, notable, newlines, endsWithNewline: last === NEWLINE, failedStep };
}

/** Marks every block a hint begins in. One look per hint and block is enough. */
function noteHints(chunk: Buffer, offset: number, notable: Set<number>): void {
  for (const hint of HINTS) {
    for (let at = chunk.indexOf(hint); at !== -1;) {
      const block = Math.floor((offset + at) / BLOCK_BYTES);
      notable.add(block);
      at = chunk.indexOf(hint, (block + 1) * BLOCK_BYTES - offset);
    }
  }
}

/** Counts the newlines before the first byte of the step and before its last one, as far as they lie in this chunk. */
function noteEdges(
  chunk: Buffer,
  offset: number,
  newlinesBefore: readonly number[],
  step: ByteRange,
  edges: { from: number; to: number },
): void {
  for (const [edge, position] of [
    ['from', step.from],
    ['to', step.to - 1],
  ] as const) {
    const at = position - offset;
    if (at < 0 || at >= chunk.length) continue;
    const block = Math.floor(position / BLOCK_BYTES);
    const before = newlinesBefore[block] ?? 0;
    edges[edge] = before + newlinesIn(chunk.subarray(block * BLOCK_BYTES - offset, at));
  }
}

function stepLines(edges: { from: number; to: number }, newlines: number, toTheEnd: boolean): LineRange {
  const from = edges.from + 1;
  return { from, to: Math.max(from, toTheEnd ? newlines + 1 : edges.to + 1) };
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Whole lines of a range of blocks; a line that began before them is left out. */
async function readWindow(
  logs: Pick<LogStore, 'read'>,
  attempt: AttemptRef,
  { from, to }: BlockRange,
  { newlinesBefore, size }: LogScan,
): Promise<LogWindow | null> {
  const start = from * BLOCK_BYTES;
  const bytes = await logs.read(attempt, start, Math.min(size, to * BLOCK_BYTES) - start);
  const before = newlinesBefore[from] ?? 0;
  const cut = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
  if (start > 0 && cut === 0) return null;
  return { firstLine: before + 1 + (start === 0 ? 0 : 1), text: new TextDecoder().decode(bytes.subarray(cut)) };
}
