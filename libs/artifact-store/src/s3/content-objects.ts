import type { _Object } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, PutOptions, StoredContent } from '../artifact-store.ts';
import { MeasuredBytes, checkedBytes, refuseLarger } from '../measured-bytes.ts';
import { hexAt } from '../object-names.ts';
import { StoreError } from '../store-error.ts';
import { DirectObjects } from './direct-objects.ts';
import { downloadOf, sizeOf } from './download.ts';
import { giveUpUploadsBefore, sendInParts } from './multipart.ts';
import { partsOf } from './parts.ts';
import { putOnce } from './put-once.ts';
import { pagesOf, removeKeys } from './listed-objects.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** The smallest part that servers take is 5 MiB; of this size the largest artifact has 128. */
const PART_BYTES = 8 * 1_024 ** 2;

/**
 * Content in an S3 bucket, one object per digest. Small objects are written by one conditional request; larger ones in
 * parts, which become an object when all of them are there and have the digest. The SHA-256 of every request's body is
 * signed, so that a server takes no other bytes than were sent.
 */
export class ContentObjects implements ContentStore {
  readonly direct: DirectObjects;
  readonly #bucket: S3Bucket;
  readonly #folder: string;
  readonly #partBytes: number;
  readonly #suffix: string;

  /**
   * @param folder below the bucket's prefix: stores of other folders share nothing
   * @param partBytes a larger object goes in parts of this size; servers want 5 MiB at least
   * @param suffix of the keys of all objects: stores of other suffixes do not share objects
   */
  constructor(bucket: S3Bucket, folder: string, { partBytes = PART_BYTES, suffix = '' } = {}) {
    this.#suffix = suffix;
    this.#bucket = bucket;
    this.#folder = folder;
    this.#partBytes = partBytes;
    this.direct = new DirectObjects(bucket, this.#incoming, this);
  }

  async put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent> {
    const bytes = new MeasuredBytes(source, options);
    const parts = partsOf(bytes, this.#partBytes);
    const first = await parts.next();
    const second = await parts.next();
    const key = this.keyOf(options.expected);
    if (first.done !== true && second.done !== true) {
      return sendInParts(this.#bucket, key, continued([first.value, second.value], parts), () => bytes.finish());
    }
    const stored = bytes.finish();
    await putOnce(this.#bucket, key, first.done === true ? new Uint8Array() : first.value);
    return stored;
  }

  async size(digest: Digest): Promise<number | null> {
    return sizeOf(this.#bucket, this.keyOf(digest));
  }

  async open(digest: Digest): Promise<{ sizeBytes: number; stream: Readable } | null> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) return null;
    const bytes = checkedBytes(downloadOf(this.#bucket, this.keyOf(digest), sizeBytes), digest);
    return { sizeBytes, stream: Readable.from(bytes, { objectMode: false }) };
  }

  async read(digest: Digest, sizeBytesMax: number): Promise<Uint8Array> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) throw new StoreError('not_found', `nothing is stored under ${digest}`);
    refuseLarger(digest, sizeBytes, sizeBytesMax);
    const chunks: Uint8Array[] = [];
    for await (const chunk of checkedBytes(downloadOf(this.#bucket, this.keyOf(digest), sizeBytes), digest))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    await removeKeys(
      this.#bucket,
      digests.map((digest) => this.keyOf(digest)),
    );
  }

  async *storedBefore(beforeMs: number): AsyncGenerator<readonly Digest[]> {
    for await (const page of pagesOf(this.#bucket, `${this.#folder}/sha256/`)) {
      const hexes = keysBefore(page, beforeMs).flatMap((key) => hexAt(key) ?? []);
      if (hexes.length > 0) yield hexes.map((hex) => `sha256:${hex}`);
    }
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    const beforeMs = nowMs - idleMs;
    const uploads = await giveUpUploadsBefore(this.#bucket, `${this.#folder}/`, beforeMs);
    return uploads + (await this.#removeIncomingBefore(beforeMs));
  }

  /** What was sent in parts and never confirmed. */
  async #removeIncomingBefore(beforeMs: number): Promise<number> {
    let removed = 0;
    for await (const page of pagesOf(this.#bucket, `${this.#folder}/incoming/`)) {
      const keys = keysBefore(page, beforeMs);
      await removeKeys(this.#bucket, keys);
      removed += keys.length;
    }
    return removed;
  }

  get #incoming(): string {
    return this.#bucket.key(`${this.#folder}/incoming/`);
  }

  /** Where an object lies in the bucket. */
  keyOf(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return this.#bucket.key(`${this.#folder}/sha256/${hex.slice(0, 2)}/${hex}${this.#suffix}`);
  }
}

/** One whose time is not told is not old. */
const keysBefore = (page: readonly _Object[], beforeMs: number): string[] =>
  page.flatMap(({ Key, LastModified }) =>
    Key !== undefined && (LastModified?.getTime() ?? beforeMs) < beforeMs ? [Key] : [],
  );

async function* continued<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}
