import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import {
  CACHE_CHUNKS_MAX,
  CACHE_CHUNK_CONTENT_BYTES_MAX,
  type CacheChunk,
  type OfferedChunk,
} from '@delta-ci/contracts';
import { CacheFailed, type CacheStore } from './cache-store.ts';

/** Chunks under way at once: their compression fills the cores of a small machine, and their transfer a line. */
const AT_ONCE = 4;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const damaged = ({ digest }: CacheChunk): CacheFailed =>
  new CacheFailed('damaged', `chunk ${digest} is not what was saved`);

/** Of the host's disk alone: another job may have room for the same cache. */
function notWritten(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  throw new CacheFailed('sandbox_failed', `its archive cannot be written on the host: ${why}`);
}

const tooLarge = (): CacheFailed =>
  new CacheFailed(
    'too_large',
    `it has more than ${(CACHE_CHUNKS_MAX * CACHE_CHUNK_CONTENT_BYTES_MAX) / 1024 ** 3} GiB`,
  );

/** Refuses a cache whose archives, of so many bytes each, are cut into more chunks than it may have. @throws CacheFailed `too_large` */
export function refuseTooLarge(archiveBytes: readonly number[]): void {
  const chunks = archiveBytes.reduce((sum, bytes) => sum + Math.ceil(bytes / CACHE_CHUNK_CONTENT_BYTES_MAX), 0);
  if (chunks > CACHE_CHUNKS_MAX) throw tooLarge();
}

/**
 * Fetches the chunks of an archive, a few at once, into a file: each is checked and decompressed, and written to its place.
 * @throws CacheFailed, `sandbox_failed` where the host has no room for it; what the store fails with
 */
export async function fetchArchive(
  store: Pick<CacheStore, 'download'>,
  key: string,
  chunks: readonly OfferedChunk[],
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(path, 'wx', 0o644).catch(notWritten);
  const failed = new AbortController();
  const ends = AbortSignal.any([signal, failed.signal]);
  const rest = placed(chunks).values();
  const fetchSome = async (): Promise<void> => {
    for (const { chunk, offset } of rest) await fetchOne(store, key, chunk, { file, offset }, ends);
  };
  try {
    await allOrNone(Array.from({ length: AT_ONCE }, fetchSome), failed);
  } finally {
    await file.close();
  }
}

async function fetchOne(
  store: Pick<CacheStore, 'download'>,
  key: string,
  chunk: OfferedChunk,
  { file, offset }: { file: FileHandle; offset: number },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const bytes = await store.download(key, chunk, signal);
  if (digestOf(bytes) !== chunk.digest) throw damaged(chunk);
  const content = await decompress(bytes, { maxOutputLength: chunk.contentBytes }).catch(() => {
    throw damaged(chunk);
  });
  if (content.byteLength !== chunk.contentBytes) throw damaged(chunk);
  await writeAt(file, content, offset).catch(notWritten);
}

/** All of it: on a disk that fills up, a write takes a part, and only the next one fails. */
async function writeAt(file: FileHandle, content: Uint8Array, offset: number): Promise<void> {
  for (let written = 0; written < content.byteLength;) {
    const { bytesWritten } = await file.write(content, written, content.byteLength - written, offset + written);
    written += bytesWritten;
  }
}

function placed(chunks: readonly OfferedChunk[]): { chunk: OfferedChunk; offset: number }[] {
  let offset = 0;
  return chunks.map((chunk) => {
    const at = { chunk, offset };
    offset += chunk.contentBytes;
    return at;
  });
}

/** Sends an archive while it is made: cut, compressed and sent a few chunks at a time, and never more than these in memory. */
export class ArchiveSender {
  readonly #store: Pick<CacheStore, 'upload'>;
  readonly #key: string;
  readonly #signal: AbortSignal;
  readonly #failed = new AbortController();
  readonly #chunksMax: number;
  readonly #chunks: Promise<CacheChunk>[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  #held = Buffer.allocUnsafe(CACHE_CHUNK_CONTENT_BYTES_MAX);
  #heldBytes = 0;
  #bytes = 0;

  /**
   * @param key of the cache that it is a part of
   * @param chunksMax as many as are left of what one cache may have
   */
  constructor(store: Pick<CacheStore, 'upload'>, key: string, signal: AbortSignal, chunksMax: number) {
    this.#store = store;
    this.#key = key;
    this.#signal = AbortSignal.any([signal, this.#failed.signal]);
    this.#chunksMax = chunksMax;
  }

  /** Takes the next bytes, which may change afterwards. @throws CacheFailed `too_large`; what sending an earlier chunk failed with */
  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#chunksMax * CACHE_CHUNK_CONTENT_BYTES_MAX) throw tooLarge();
    for (let from = 0; from < bytes.byteLength;) {
      const some = bytes.subarray(from, from + CACHE_CHUNK_CONTENT_BYTES_MAX - this.#heldBytes);
      this.#held.set(some, this.#heldBytes);
      this.#heldBytes += some.byteLength;
      from += some.byteLength;
      if (this.#heldBytes === CACHE_CHUNK_CONTENT_BYTES_MAX) await this.#sendHeld();
    }
  }

  /** The chunks of all that was written, once all of them were sent. @throws as `write` */
  async end(): Promise<CacheChunk[]> {
    if (this.#heldBytes > 0) await this.#sendHeld();
    return allOrNone(this.#chunks, this.#failed);
  }

  /** Gives up what is under way. */
  async abort(): Promise<void> {
    this.#failed.abort();
    await Promise.allSettled(this.#chunks);
  }

  async #sendHeld(): Promise<void> {
    this.#signal.throwIfAborted();
    const content = this.#held.subarray(0, this.#heldBytes);
    this.#held = Buffer.allocUnsafe(CACHE_CHUNK_CONTENT_BYTES_MAX);
    this.#heldBytes = 0;
    const sending = this.#send(content);
    this.#chunks.push(sending);
    this.#underWay.add(sending);
    sending.then(
      () => this.#underWay.delete(sending),
      // It stays, and whoever waits for room meets it.
      () => this.#failed.abort(),
    );
    if (this.#underWay.size >= AT_ONCE) await Promise.race(this.#underWay);
  }

  async #send(content: Uint8Array): Promise<CacheChunk> {
    const bytes = Uint8Array.from(await compress(content));
    const chunk = { digest: digestOf(bytes), sizeBytes: bytes.byteLength, contentBytes: content.byteLength };
    await this.#store.upload(this.#key, chunk, bytes, this.#signal);
    return chunk;
  }
}

/** All results; or the first failure, once the others have ended, which it makes them do. */
async function allOrNone<T>(work: readonly Promise<T>[], failed: AbortController): Promise<T[]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
