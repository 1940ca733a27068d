import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import { removeFilesBefore } from './remove-files-before.ts';
import { StoreError } from './store-error.ts';

/** What was stored: the digest it can be found by, and its size. */
export interface StoredContent {
  digest: Digest;
  sizeBytes: number;
}

export interface PutOptions {
  /** Refuse content of any other digest. */
  expected?: Digest;
  /** Refuse content over this size; checked while it streams. */
  sizeBytesMax: number;
}

/**
 * Content-addressed objects on a filesystem: immutable, one file per digest, safe for many writers.
 * An object appears whole or not at all: bytes go to a private file, are flushed, and are then linked into place.
 */
export class ContentFiles {
  readonly #objects: string;
  readonly #incoming: string;

  constructor(directory: string) {
    this.#objects = join(directory, 'objects', 'sha256');
    this.#incoming = join(directory, 'incoming');
  }

  /**
   * Stores the bytes of `source`.
   * @throws StoreError `payload_too_large` over `sizeBytesMax`, `digest_mismatch` when the bytes are not `expected`.
   */
  async put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent> {
    await mkdir(this.#incoming, { recursive: true });
    const incoming = join(this.#incoming, randomUUID());
    try {
      const stored = await receive(source, incoming, options.sizeBytesMax);
      if (options.expected !== undefined && options.expected !== stored.digest) {
        throw new StoreError('digest_mismatch', `content is ${stored.digest}, announced as ${options.expected}`);
      }
      await this.#publish(incoming, stored.digest);
      return stored;
    } finally {
      await rm(incoming, { force: true });
    }
  }

  /** The object's size in bytes, or null when there is none. */
  async size(digest: Digest): Promise<number | null> {
    const found = await stat(this.#path(digest)).catch(nullWhenMissing);
    return found === null ? null : found.size;
  }

  /**
   * The object's bytes as a stream, or null when there is none. They are checked while they pass, and the last of them
   * passes only when all were right: a reader gets the object whole, or an error (`digest_mismatch`) before its end.
   */
  async open(digest: Digest): Promise<{ sizeBytes: number; stream: Readable } | null> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) return null;
    const stream = Readable.from(checked(createReadStream(this.#path(digest)), digest), { objectMode: false });
    return { sizeBytes, stream };
  }

  /**
   * The object's bytes, verified against the digest.
   * @throws StoreError `not_found`, `payload_too_large` over `sizeBytesMax`, `digest_mismatch` when the disk lies.
   */
  async read(digest: Digest, sizeBytesMax: number): Promise<Uint8Array> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) throw new StoreError('not_found', `nothing is stored under ${digest}`);
    if (sizeBytes > sizeBytesMax)
      throw new StoreError('payload_too_large', `${digest} has ${sizeBytes} bytes, the limit is ${sizeBytesMax}`);
    const bytes = await readFile(this.#path(digest));
    const actual = digestOf(bytes);
    if (actual !== digest) throw new StoreError('digest_mismatch', `${digest} reads back as ${actual}`);
    return bytes;
  }

  /** Removes an object, if there is one. Only for content that nobody refers to any more: readers get `not_found`. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  /** Removes uploads that nobody has written to for `idleMs`: whoever began them is gone. Answers how many. */
  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return removeFilesBefore(this.#incoming, nowMs - idleMs);
  }

  async #publish(incoming: string, digest: Digest): Promise<void> {
    const path = this.#path(digest);
    await mkdir(dirname(path), { recursive: true });
    await link(incoming, path).catch((error: NodeJS.ErrnoException) => {
      // Somebody stored the same bytes first: the same digest is the same object.
      if (error.code !== 'EEXIST') throw error;
    });
  }

  #path(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return join(this.#objects, hex.slice(0, 2), hex);
  }
}

async function* checked(source: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let held: Uint8Array | null = null;
  for await (const chunk of source) {
    hash.update(chunk);
    if (held !== null) yield held;
    held = chunk;
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw new StoreError('digest_mismatch', `${digest} reads back as ${actual}`);
  if (held !== null) yield held;
}

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function nullWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

async function receive(source: Readable | Uint8Array, path: string, sizeBytesMax: number): Promise<StoredContent> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await open(path, 'wx', 0o640);
  try {
    for await (const chunk of source instanceof Uint8Array ? [source] : (source as AsyncIterable<Uint8Array>)) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > sizeBytesMax) throw new StoreError('payload_too_large', `content is over ${sizeBytesMax} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes };
}
