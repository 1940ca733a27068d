import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, PutOptions, StoredContent } from './artifact-store.ts';
import { MeasuredBytes, checkedBytes, digestOf, refuseLarger, refuseOther } from './measured-bytes.ts';
import { nullWhenMissing } from './null-when-missing.ts';
import { HEX, objectsBefore } from './object-files.ts';
import { removeFilesBefore } from './remove-files-before.ts';
import { StoreError } from './store-error.ts';

/** Read at a time: each read costs as much as hashing what the usual 64 KiB bring. */
const READ_BYTES = 256 * 1024;

/**
 * Content on a filesystem, one file per digest. An object appears whole or not at all: bytes go to a private file, are
 * flushed, and are then linked into place.
 */
export class ContentFiles implements ContentStore {
  readonly direct = null;
  readonly #objects: string;
  readonly #incoming: string;
  readonly #suffix: string;

  /**
   * @param folder below the directory: stores of other folders share nothing but the place of uploads under way
   * @param suffix of the names of all files: stores of other suffixes do not share objects
   */
  constructor(directory: string, folder = 'objects', suffix = '') {
    this.#suffix = suffix;
    this.#objects = join(directory, folder, 'sha256');
    this.#incoming = join(directory, 'incoming');
  }

  async put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent> {
    await mkdir(this.#incoming, { recursive: true });
    const incoming = join(this.#incoming, randomUUID());
    try {
      const bytes = new MeasuredBytes(source, options);
      await receive(bytes, incoming);
      const stored = bytes.finish();
      await this.#publish(incoming, stored.digest);
      return stored;
    } finally {
      await rm(incoming, { force: true });
    }
  }

  async size(digest: Digest): Promise<number | null> {
    const found = await stat(this.#path(digest)).catch(nullWhenMissing);
    return found === null ? null : found.size;
  }

  async open(digest: Digest): Promise<{ sizeBytes: number; stream: Readable } | null> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) return null;
    const read = createReadStream(this.#path(digest), { highWaterMark: Math.min(READ_BYTES, sizeBytes + 1) });
    const stream = Readable.from(checkedBytes(read, digest), { objectMode: false });
    return { sizeBytes, stream };
  }

  async read(digest: Digest, sizeBytesMax: number): Promise<Uint8Array> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) throw new StoreError('not_found', `nothing is stored under ${digest}`);
    refuseLarger(digest, sizeBytes, sizeBytesMax);
    const bytes = await readFile(this.#path(digest));
    refuseOther(digestOf(bytes), digest);
    return bytes;
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) await rm(this.#path(digest), { force: true });
  }

  storedBefore(beforeMs: number): AsyncGenerator<readonly Digest[]> {
    const suffix = this.#suffix;
    const hexOf = (name: string): string => (name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : '');
    return objectsBefore(this.#objects, beforeMs, (name) => HEX.exec(hexOf(name))?.[0] ?? null);
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return removeFilesBefore(this.#incoming, nowMs - idleMs);
  }

  async #publish(incoming: string, digest: Digest): Promise<void> {
    const path = this.#path(digest);
    await mkdir(dirname(path), { recursive: true });
    await link(incoming, path).catch(async (error: NodeJS.ErrnoException) => {
      // Somebody stored the same bytes first: the same digest is the same object, and stands since now for whoever looks for old ones.
      if (error.code !== 'EEXIST') throw error;
      const now = new Date();
      await utimes(path, now, now);
    });
  }

  #path(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return join(this.#objects, hex.slice(0, 2), `${hex}${this.#suffix}`);
  }
}

async function receive(bytes: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const file = await open(path, 'wx', 0o640);
  try {
    for await (const chunk of bytes) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}
