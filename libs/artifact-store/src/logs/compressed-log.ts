import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { StoreError } from '../store-error.ts';
import { bytesInFrame, digestOf, encodeIndex, type FrameIndex, type LogFrame } from './frame-index.ts';
import { BLOCK_BYTES, endsLine, lineFeedsIn } from './log-outline.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** What `docs/logs.md` measures: higher levels take several times the time for a tenth less. */
const LEVEL = 3;
const SETTINGS = { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } };

/** Bytes `[from, to)` of a compressed log, or null when it is not there any more. */
export type ReadCompressed = (from: number, to: number) => Promise<Uint8Array | null>;

/**
 * Compresses a log, a block at a time: its frames, and then its index.
 * @param blocks full ones, and a last that may be shorter
 */
export async function* compressLog(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, FrameIndex> {
  const frames: LogFrame[] = [];
  const whole = createHash('sha256');
  let [from, sizeBytes, endsWithLineFeed] = [0, 0, false];
  for await (const block of blocks) {
    const compressed = await compress(block, SETTINGS);
    const to = from + compressed.byteLength;
    frames.push({ from, to, lineFeeds: lineFeedsIn(block), sha256: digestOf(block) });
    whole.update(block);
    from = to;
    sizeBytes += block.byteLength;
    endsWithLineFeed = endsLine(block);
    yield compressed;
  }
  const index = { frames, sizeBytes, endsWithLineFeed, sha256: whole.digest() };
  yield encodeIndex(index);
  return index;
}

/**
 * Bytes `[from, to)` of the log, as far as it goes; only the frames they lie in are opened. Null when the log is not there
 * any more.
 * @throws StoreError `digest_mismatch` when a frame is not what was written
 */
export async function readLog(
  index: FrameIndex,
  read: ReadCompressed,
  from: number,
  to: number,
): Promise<Uint8Array | null> {
  const end = Math.min(to, index.sizeBytes);
  if (from >= end) return new Uint8Array();
  const [firstFrame, lastFrame] = [Math.floor(from / BLOCK_BYTES), Math.floor((end - 1) / BLOCK_BYTES)];
  const start = index.frames[firstFrame]?.from ?? 0;
  const compressed = await read(start, index.frames[lastFrame]?.to ?? 0);
  if (compressed === null) return null;
  const blocks: Uint8Array[] = [];
  for (const [at, frame] of index.frames.slice(firstFrame, lastFrame + 1).entries()) {
    const bytes = compressed.subarray(frame.from - start, frame.to - start);
    blocks.push(await blockIn(bytes, frame, bytesInFrame(index, firstFrame + at)));
  }
  const base = firstFrame * BLOCK_BYTES;
  return Buffer.concat(blocks).subarray(from - base, end - base);
}

/** Reads all of a compressed log. @throws StoreError `digest_mismatch` when it is not the log that the index tells of */
export async function verifyLog(index: FrameIndex, read: ReadCompressed): Promise<void> {
  const whole = createHash('sha256');
  for (let at = 0; at < index.sizeBytes; at += BLOCK_BYTES) {
    whole.update((await readLog(index, read, at, at + BLOCK_BYTES)) ?? '');
  }
  if (!whole.digest().equals(index.sha256)) throw damaged();
}

async function blockIn(compressed: Uint8Array, frame: LogFrame, length: number): Promise<Uint8Array> {
  const block = await decompress(compressed, { maxOutputLength: length }).catch(() => null);
  if (block === null || !digestOf(block).equals(frame.sha256)) throw damaged();
  return block;
}

const damaged = (): StoreError => new StoreError('digest_mismatch', 'a compressed log is not what was written');
