import { DeleteObjectsCommand, GetObjectCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { createReadStream } from 'node:fs';
import type { AttemptRef } from '@delta-ci/contracts';
import type { CompressedFile, LogArchive } from '../logs/log-archive.ts';
import { StoreUnreachable } from '../store-error.ts';
import { giveUpUploadsBefore, sendInParts } from './multipart.ts';
import { partsOf } from './parts.ts';
import { putOnce } from './put-once.ts';
import { answerTo, nullWhenMissing, type S3Bucket } from './s3-bucket.ts';

/** Nearly every compressed log is smaller, and goes in one request. */
const PART_BYTES = 8 * 1_024 ** 2;

/** Compressed logs in an S3 bucket, one object each. Parts of them are read by range. */
export class LogObjects implements LogArchive {
  readonly #bucket: S3Bucket;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async put(attempt: AttemptRef, { path, sizeBytes }: CompressedFile): Promise<void> {
    const key = this.#key(attempt);
    const parts = partsOf(createReadStream(path), PART_BYTES);
    if (sizeBytes > PART_BYTES) return sendInParts(this.#bucket, key, parts, () => undefined);
    for await (const all of parts) await putOnce(this.#bucket, key, all);
  }

  async readEnd(attempt: AttemptRef, lengthMax: number): Promise<{ bytes: Uint8Array; sizeBytes: number } | null> {
    return this.#get(attempt, `bytes=-${lengthMax}`);
  }

  async read(attempt: AttemptRef, from: number, to: number): Promise<Uint8Array | null> {
    return (await this.#get(attempt, `bytes=${from}-${to - 1}`))?.bytes ?? null;
  }

  async removeBefore(beforeMs: number): Promise<number> {
    const { client, name: Bucket } = this.#bucket;
    await giveUpUploadsBefore(this.#bucket, 'logs/', beforeMs);
    let removed = 0;
    const pages = paginateListObjectsV2({ client }, { Bucket, Prefix: this.#bucket.key('logs/') });
    for (let page = await answerTo(pages.next()); page.done !== true; page = await answerTo(pages.next())) {
      const old = (page.value.Contents ?? []).filter(({ LastModified }) => isBefore(LastModified, beforeMs));
      const Objects = old.map(({ Key }) => ({ Key }));
      if (Objects.length === 0) continue;
      const removal = new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } });
      const [error] = (await answerTo(client.send(removal))).Errors ?? [];
      if (error !== undefined) throw new StoreUnreachable(`${error.Key} cannot be removed: ${error.Code}`);
      removed += Objects.length;
    }
    return removed;
  }

  async #get(attempt: AttemptRef, Range: string): Promise<{ bytes: Uint8Array; sizeBytes: number } | null> {
    const { client, name: Bucket } = this.#bucket;
    const asked = client.send(new GetObjectCommand({ Bucket, Key: this.#key(attempt), Range }));
    const answer = await answerTo(asked, [404]).catch(nullWhenMissing);
    if (answer?.Body === undefined) return null;
    const bytes = await answerTo(answer.Body.transformToByteArray());
    // A range that is all of the object may be answered as the whole, which has no `Content-Range`.
    const sizeBytes = Number(/\/(\d+)$/.exec(answer.ContentRange ?? '')?.[1] ?? bytes.byteLength);
    return { bytes, sizeBytes };
  }

  #key({ runId, jobKey, attempt }: AttemptRef): string {
    return this.#bucket.key(`logs/${runId}/${jobKey}/${attempt}.log.zst`);
  }
}

const isBefore = (time: Date | undefined, beforeMs: number): boolean => time !== undefined && time.getTime() < beforeMs;
