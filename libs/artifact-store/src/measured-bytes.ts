import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import type { PutOptions, StoredContent } from './artifact-store.ts';
import { StoreError } from './store-error.ts';

/** Bytes on their way into a store: hashed and counted while they pass, and refused once they are too many. */
export class MeasuredBytes {
  readonly #source: Readable | Uint8Array;
  readonly #options: PutOptions;
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  constructor(source: Readable | Uint8Array, options: PutOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** To be gone through once. @throws StoreError `payload_too_large` */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { sizeBytesMax } = this.#options;
    const chunks = this.#source instanceof Uint8Array ? [this.#source] : (this.#source as AsyncIterable<Uint8Array>);
    for await (const chunk of chunks) {
      this.#sizeBytes += chunk.byteLength;
      if (this.#sizeBytes > sizeBytesMax)
        throw new StoreError('payload_too_large', `content is over ${sizeBytesMax} bytes`);
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  /** What passed, after all of it did. @throws StoreError `digest_mismatch` when it is not what was announced */
  finish(): StoredContent {
    const digest = `sha256:${this.#hash.digest('hex')}`;
    const { expected } = this.#options;
    if (digest === expected) return { digest, sizeBytes: this.#sizeBytes };
    throw new StoreError('digest_mismatch', `content is ${digest}, announced as ${expected}`);
  }
}

/** Passes bytes on while they are checked, holding back the last chunk until all were right. @throws StoreError `digest_mismatch` */
export async function* checkedBytes(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | null = null;
  for await (const chunk of source) {
    hash.update(chunk);
    if (held !== null) yield held;
    held = chunk;
  }
  refuseOther(`sha256:${hash.digest('hex')}`, digest);
  if (held !== null) yield held;
}

/** @throws StoreError `digest_mismatch` when what was read back is not what was stored */
export function refuseOther(actual: Digest, digest: Digest): void {
  if (actual !== digest) throw new StoreError('digest_mismatch', `${digest} reads back as ${actual}`);
}

/** @throws StoreError `payload_too_large` before an object is read that is larger than the caller can take */
export function refuseLarger(digest: Digest, sizeBytes: number, sizeBytesMax: number): void {
  if (sizeBytes <= sizeBytesMax) return;
  throw new StoreError('payload_too_large', `${digest} has ${sizeBytes} bytes, the limit is ${sizeBytesMax}`);
}

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
