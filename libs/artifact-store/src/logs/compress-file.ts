import { open, type FileHandle } from 'node:fs/promises';
import { compressLog, verifyLog } from './compressed-log.ts';
import type { FrameIndex } from './frame-index.ts';
import type { CompressedFile } from './log-archive.ts';
import { BLOCK_BYTES } from './log-outline.ts';

/**
 * Compresses the log at `source` into a new file `target`, and reads that back: what cannot be read from it is not lost yet.
 * Holds a few blocks at a time.
 * @throws StoreError `digest_mismatch` when what was written reads back as something else
 */
export async function compressFile(source: string, target: string): Promise<CompressedFile> {
  const [log, compressed] = [await open(source, 'r'), await open(target, 'wx+', 0o640)];
  try {
    const { mtimeMs: writtenAtMs } = await log.stat();
    const index = await writeCompressed(log, compressed);
    await verifyLog(index, async (from, to) => bytesAt(compressed, from, to - from));
    const { size: sizeBytes } = await compressed.stat();
    return { path: target, sizeBytes, writtenAtMs };
  } finally {
    await Promise.all([log.close(), compressed.close()]);
  }
}

/** The blocks of a file; all but the last are full. Of a file that grows, as far as it goes when its end is reached. */
export async function* blocksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; at += BLOCK_BYTES) {
    const block = await bytesAt(file, at, BLOCK_BYTES);
    if (block.byteLength > 0) yield block;
    if (block.byteLength < BLOCK_BYTES) return;
  }
}

async function writeCompressed(log: FileHandle, compressed: FileHandle): Promise<FrameIndex> {
  const parts = compressLog(blocksOf(log));
  for (;;) {
    const part = await parts.next();
    if (part.done === true) return part.value;
    await compressed.writeFile(part.value);
  }
}

async function bytesAt(file: FileHandle, position: number, lengthMax: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthMax);
  let length = 0;
  for (let read = -1; read !== 0 && length < lengthMax; length += read) {
    ({ bytesRead: read } = await file.read(bytes, length, lengthMax - length, position + length));
  }
  return bytes.subarray(0, length);
}
