import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, PutOptions, StoredContent } from './artifact-store.ts';
import { MeasuredBytes, checkedBytes, digestOf, refuseLarger, refuseOther } from './measured-bytes.ts';
import { nullWhenMissing } from './null-when-missing.ts';
import { objectsBefore } from './object-files.ts';
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
  readonly #directoryMode: number;

  /**
   * @param folder below the directory: stores of other folders share nothing but the place of uploads under way
   * @param suffix of the names of all files: stores of other suffixes do not share objects
   * @param directoryMode of directories that are made, the one that is given and those above it included
   */
  constructor(directory: string, folder = 'objects', suffix = '', directoryMode = 0o777) {
    this.#suffix = suffix;
    this.#objects = join(directory, folder, 'sha256');
    this.#incoming = join(directory, 'incoming');
    this.#directoryMode = directoryMode;
  }

  async put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent> {
    await this.#makeDirectory(this.#incoming);
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

  /** @param beforeMs leaves alone what does not stand since before then, or was stored again since */
  async remove(digests: readonly Digest[], beforeMs = Infinity): Promise<void> {
    for (const digest of digests) {
      const found = await stat(this.#path(digest)).catch(nullWhenMissing);
      if (found !== null && found.mtimeMs < beforeMs) await rm(this.#path(digest), { force: true });
    }
  }

  storedBefore(beforeMs: number): AsyncGenerator<readonly Digest[]> {
    return objectsBefore(this.#objects, beforeMs);
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return removeFilesBefore(this.#incoming, nowMs - idleMs);
  }

  async #publish(incoming: string, digest: Digest): Promise<void> {
    const path = this.#path(digest);
    for (;;) {
      await this.#makeDirectory(dirname(path));
      const isFirst = await link(incoming, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST') return false;
          throw error;
        },
      );
      if (isFirst) return;
      // Somebody stored the same bytes first: the same digest is the same object, and stands since now for whoever looks for old ones.
      const now = new Date();
      const touched = await utimes(path, now, now).then(() => true, nullWhenMissing);
      if (touched !== null) return;
      // Whoever removed it before it was touched made room for these.
    }
  }

  async #makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: this.#directoryMode });
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
