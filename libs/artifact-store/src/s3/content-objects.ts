import { DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, PutOptions, StoredContent } from '../artifact-store.ts';
import { MeasuredBytes, checkedBytes, refuseLarger } from '../measured-bytes.ts';
import { StoreError, StoreUnreachable } from '../store-error.ts';
import { giveUpUploadsBefore, sendInParts } from './multipart.ts';
import { partsOf } from './parts.ts';
import { putOnce } from './put-once.ts';
import { answerTo, nullWhenMissing, type S3Bucket } from './s3-bucket.ts';

/** The smallest part that servers take is 5 MiB; of this size the largest artifact has 128. */
const PART_BYTES = 8 * 1_024 ** 2;
/** Interruptions of one download without a byte between them. */
const INTERRUPTIONS_MAX = 3;
/** As many as one request takes. */
const REMOVED_AT_ONCE = 1_000;

/**
 * Content in an S3 bucket, one object per digest. Small objects are written by one conditional request; larger ones in
 * parts, which become an object when all of them are there and have the digest. The SHA-256 of every request's body is
 * signed, so that a server takes no other bytes than were sent.
 */
export class ContentObjects implements ContentStore {
  readonly #bucket: S3Bucket;
  readonly #partBytes: number;

  /** @param partBytes a larger object goes in parts of this size; servers want 5 MiB at least */
  constructor(bucket: S3Bucket, partBytes = PART_BYTES) {
    this.#bucket = bucket;
    this.#partBytes = partBytes;
  }

  async put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent> {
    const bytes = new MeasuredBytes(source, options);
    const parts = partsOf(bytes, this.#partBytes);
    const first = await parts.next();
    const second = await parts.next();
    const key = this.#key(options.expected);
    if (first.done !== true && second.done !== true) {
      return sendInParts(this.#bucket, key, continued([first.value, second.value], parts), () => bytes.finish());
    }
    const stored = bytes.finish();
    await putOnce(this.#bucket, key, first.done === true ? new Uint8Array() : first.value);
    return stored;
  }

  async size(digest: Digest): Promise<number | null> {
    const { client, name } = this.#bucket;
    const asked = client.send(new HeadObjectCommand({ Bucket: name, Key: this.#key(digest) }));
    const head = await answerTo(asked, [404]).catch(nullWhenMissing);
    return head === null ? null : (head.ContentLength ?? 0);
  }

  async open(digest: Digest): Promise<{ sizeBytes: number; stream: Readable } | null> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) return null;
    const bytes = checkedBytes(this.#download(digest, sizeBytes), digest);
    return { sizeBytes, stream: Readable.from(bytes, { objectMode: false }) };
  }

  async read(digest: Digest, sizeBytesMax: number): Promise<Uint8Array> {
    const sizeBytes = await this.size(digest);
    if (sizeBytes === null) throw new StoreError('not_found', `nothing is stored under ${digest}`);
    refuseLarger(digest, sizeBytes, sizeBytesMax);
    const chunks: Uint8Array[] = [];
    for await (const chunk of checkedBytes(this.#download(digest, sizeBytes), digest)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    const { client, name } = this.#bucket;
    for (let at = 0; at < digests.length; at += REMOVED_AT_ONCE) {
      const Objects = digests.slice(at, at + REMOVED_AT_ONCE).map((digest) => ({ Key: this.#key(digest) }));
      const removal = new DeleteObjectsCommand({ Bucket: name, Delete: { Objects, Quiet: true } });
      const { Errors = [] } = await answerTo(client.send(removal));
      const [error] = Errors;
      if (error !== undefined) throw new StoreUnreachable(`${error.Key} cannot be removed: ${error.Code}`);
    }
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return giveUpUploadsBefore(this.#bucket, 'objects/', nowMs - idleMs);
  }

  /** Goes on where it was interrupted. What comes then may be of another object: whoever reads it checks the whole. */
  async *#download(digest: Digest, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const { client, name } = this.#bucket;
    for (let [at, interruptions] = [0, 0]; at < sizeBytes;) {
      const range = { Bucket: name, Key: this.#key(digest), Range: `bytes=${at}-` };
      const answer = await answerTo(client.send(new GetObjectCommand(range)), [404]).catch(nullWhenMissing);
      if (answer === null) throw new StoreError('not_found', `${digest} was removed while it was read`);
      let cause: unknown = null;
      try {
        for await (const chunk of answer.Body as Readable as AsyncIterable<Uint8Array>) {
          at += chunk.byteLength;
          interruptions = 0;
          yield chunk;
        }
      } catch (error) {
        cause = error;
      }
      interruptions += 1;
      if (at < sizeBytes && interruptions > INTERRUPTIONS_MAX) {
        throw new StoreUnreachable(`${digest} breaks off at ${at} of ${sizeBytes} bytes`, cause);
      }
    }
  }

  #key(digest: Digest): string {
    const hex = digest.slice('sha256:'.length);
    return this.#bucket.key(`objects/sha256/${hex.slice(0, 2)}/${hex}`);
  }
}

async function* continued<T>(first: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* rest;
}
