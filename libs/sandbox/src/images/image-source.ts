import type { Readable } from 'node:stream';
import { createHash } from 'node:crypto';
import type { ImageReference } from './image-reference.ts';
import { damaged, refused } from './image-refused.ts';
import { DOCUMENT_BYTES_MAX } from './image-limits.ts';
import type { Descriptor } from './image-documents.ts';

/** An image as a source has it, before anything of it was read but its manifest or index. */
export type FoundImage = {
  /** Of the manifest or index that the name leads to. */
  readonly digest: string;
  readonly document: Buffer;
  /** Whether it is given to anybody, without any credentials. */
  readonly isOpen: boolean;
  /** Opens a blob of the image. Nothing of it is verified: whoever reads it does. */
  open(descriptor: Pick<Descriptor, 'digest' | 'size'>, signal: AbortSignal): Promise<Readable>;
  /** Reads a further manifest, which an index names. */
  manifest(descriptor: Descriptor, signal: AbortSignal): Promise<Buffer>;
};

/** Somewhere images come from. */
export interface ImageSource {
  /** For the log. */
  readonly name: string;
  /** Null when the source does not have it. @throws ImageRefused when it has, and it cannot be used */
  find(reference: ImageReference, signal: AbortSignal): Promise<FoundImage | null>;
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Passes a blob on and throws at its end, or where it grows too long, unless it is what its descriptor says. */
export async function* verified(
  blob: AsyncIterable<Buffer>,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of blob) {
    bytes += chunk.length;
    if (bytes > size) throw damaged(`${digest} is longer than the ${size} bytes it should have`);
    hash.update(chunk);
    onBytes(chunk.length);
    yield chunk;
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (bytes !== size) throw damaged(`${digest} has ${bytes} bytes instead of ${size}`);
  if (actual !== digest) throw damaged(`what should be ${digest} is ${actual}`);
}

/** Reads a stream of at most so many bytes. @throws ImageRefused beyond */
export async function readBounded(stream: AsyncIterable<Buffer>, bytesMax = DOCUMENT_BYTES_MAX): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw refused(`a document of the image has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads a document that has to be what its descriptor says. */
export async function readDocument(found: FoundImage, descriptor: Descriptor, signal: AbortSignal): Promise<Buffer> {
  if (descriptor.size > DOCUMENT_BYTES_MAX) throw refused(`${descriptor.digest} has ${descriptor.size} bytes`);
  return readBounded(verified(await found.open(descriptor, signal), descriptor));
}
