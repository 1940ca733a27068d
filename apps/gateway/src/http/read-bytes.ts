import type { Readable } from 'node:stream';
import { refusedWith } from './refused.ts';

/** All bytes of an upload that is small enough to be held in memory. */
export async function readBytes(body: unknown, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of streamOf(body) as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > bytesMax) throw refusedWith('payload_too_large', `the body is over ${bytesMax} bytes`, { bytesMax });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The stream of an upload. */
export function streamOf(body: unknown): Readable {
  if (body !== null && typeof body === 'object' && 'pipe' in body) return body as Readable;
  throw refusedWith('unsupported_media_type', 'send application/octet-stream');
}
