import { createHash } from 'node:crypto';
import { BLOCK_BYTES, type LogOutline } from './log-outline.ts';

/**
 * How a compressed log is written: one zstd frame for each block of the log, and behind them a skippable frame, which
 * holds the index. So `zstd -d` gives the log, and who knows the index opens only the frames that are needed.
 *
 *     frame frame ... frame | magic 4 | length 4 | entries | footer
 *     entry  (40 bytes)       compressed bytes 4 | line feeds 4 | SHA-256 of the block 32
 *     footer (92 bytes)       log bytes 8 | entries 4 | ends with a line feed 4 | SHA-256 of the log 32
 *                             | SHA-256 of all of the index before it 32 | "delta-log-01" 12
 *
 * Numbers are unsigned and little-endian. Every block that is read is checked by its digest.
 */

const SKIPPABLE_MAGIC = 0x184d2a5e;
const HEADER_BYTES = 8;
const ENTRY_BYTES = 40;
const FOOTER_BYTES = 92;
const DIGEST_BYTES = 32;
const MARK = Buffer.from('delta-log-01', 'latin1');

/** One compressed block. */
export interface LogFrame {
  /** Where its compressed bytes are. */
  readonly from: number;
  readonly to: number;
  readonly lineFeeds: number;
  readonly sha256: Uint8Array;
}

export interface FrameIndex {
  readonly frames: readonly LogFrame[];
  /** Of the log, not compressed. */
  readonly sizeBytes: number;
  readonly endsWithLineFeed: boolean;
  readonly sha256: Uint8Array;
}

/** Bytes at the end of a compressed log in which the index lies, for a log of up to `logBytes`. */
export const indexBytesFor = (logBytes: number): number =>
  HEADER_BYTES + Math.ceil(logBytes / BLOCK_BYTES) * ENTRY_BYTES + FOOTER_BYTES;

export const outlineOf = ({ frames, sizeBytes, endsWithLineFeed }: FrameIndex): LogOutline => ({
  sizeBytes,
  lineFeeds: frames.map(({ lineFeeds }) => lineFeeds),
  endsWithLineFeed,
  isFinal: true,
});

/** Bytes of the log in a frame; all but the last are full. */
export const bytesInFrame = ({ sizeBytes }: FrameIndex, frame: number): number =>
  Math.min(BLOCK_BYTES, sizeBytes - frame * BLOCK_BYTES);

/** The skippable frame that goes behind the compressed blocks. */
export function encodeIndex({ frames, sizeBytes, endsWithLineFeed, sha256 }: FrameIndex): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + frames.length * ENTRY_BYTES + FOOTER_BYTES);
  let at = bytes.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  at = bytes.writeUInt32LE(bytes.length - HEADER_BYTES, at);
  for (const frame of frames) {
    at = bytes.writeUInt32LE(frame.to - frame.from, at);
    at = bytes.writeUInt32LE(frame.lineFeeds, at);
    bytes.set(frame.sha256, at);
    at += DIGEST_BYTES;
  }
  at = bytes.writeBigUInt64LE(BigInt(sizeBytes), at);
  at = bytes.writeUInt32LE(frames.length, at);
  at = bytes.writeUInt32LE(endsWithLineFeed ? 1 : 0, at);
  bytes.set(sha256, at);
  at += DIGEST_BYTES;
  bytes.set(digestOf(bytes.subarray(0, at)), at);
  bytes.set(MARK, at + DIGEST_BYTES);
  return bytes;
}

/**
 * Reads the index out of the last bytes of a compressed log.
 * @param end at least `indexBytesFor` the largest log, or all of a shorter file
 * @param fileBytes size of the whole file
 * @returns null when that is no index, or one that does not fit the file
 */
export function decodeIndex(end: Uint8Array, fileBytes: number): FrameIndex | null {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  const footerAt = bytes.length - FOOTER_BYTES;
  if (footerAt < 0 || !bytes.subarray(-MARK.length).equals(MARK)) return null;
  const sizeBytes = Number(bytes.readBigUInt64LE(footerAt));
  const count = bytes.readUInt32LE(footerAt + 8);
  const indexAt = footerAt - count * ENTRY_BYTES - HEADER_BYTES;
  if (indexAt < 0 || count !== Math.ceil(sizeBytes / BLOCK_BYTES)) return null;
  const digestAt = bytes.length - MARK.length - DIGEST_BYTES;
  if (!bytes.subarray(digestAt, -MARK.length).equals(digestOf(bytes.subarray(indexAt, digestAt)))) return null;
  const frames = framesIn(bytes.subarray(indexAt + HEADER_BYTES, footerAt));
  if ((frames.at(-1)?.to ?? 0) !== fileBytes - (bytes.length - indexAt)) return null;
  const endsWithLineFeed = bytes.readUInt32LE(footerAt + 12) === 1;
  return { frames, sizeBytes, endsWithLineFeed, sha256: bytes.subarray(footerAt + 16, digestAt) };
}

function framesIn(entries: Buffer): LogFrame[] {
  const frames: LogFrame[] = [];
  for (let [at, from] = [0, 0]; at < entries.length; at += ENTRY_BYTES) {
    const to = from + entries.readUInt32LE(at);
    const sha256 = entries.subarray(at + 8, at + ENTRY_BYTES);
    frames.push({ from, to, lineFeeds: entries.readUInt32LE(at + 4), sha256 });
    from = to;
  }
  return frames;
}

export const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
