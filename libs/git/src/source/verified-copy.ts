import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { LfsPointer } from './lfs-pointer.ts';

/**
 * Writes a stream down and holds it against its pointer on the way. False when it is not what the pointer says, with
 * nothing left at `file`; no more than the pointer's size is ever written. Rejects with what the stream or the disk fails at.
 */
export async function verifiedCopy(
  content: AsyncIterable<Uint8Array>,
  file: string,
  { oid, sizeBytes }: LfsPointer,
): Promise<boolean> {
  const hash = createHash('sha256');
  let bytes = 0;
  let whole = false;
  const written = await open(file, 'wx', 0o644);
  try {
    for await (const piece of content) {
      bytes += piece.length;
      if (bytes > sizeBytes) break;
      hash.update(piece);
      await written.writeFile(piece);
    }
    whole = bytes === sizeBytes && hash.digest('hex') === oid;
  } finally {
    await written.close();
    if (!whole) await rm(file, { force: true });
  }
  return whole;
}

/**
 * The content of a file, opened when somebody reads it: a stream that is opened before would tell nobody that there is no such
 * file, and end the process.
 */
export async function* contentOfFile(path: string): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) yield piece;
}
