import type { _Object } from '@aws-sdk/client-s3';
import type { Digest } from '@delta-ci/contracts';
import type { CacheStore } from '../artifact-store.ts';
import { OWNED, suffixOf } from '../cache-owner.ts';
import { ContentObjects } from './content-objects.ts';
import { pagesOf, removeKeys } from './listed-objects.ts';
import type { S3Bucket } from './s3-bucket.ts';

const FOLDER = 'caches';

/** Chunks in an S3 bucket, one object for each who has one. */
export class CacheObjects implements CacheStore {
  readonly #bucket: S3Bucket;
  readonly #all: ContentObjects;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
    this.#all = new ContentObjects(bucket, FOLDER);
  }

  of(owner: string): ContentObjects {
    return new ContentObjects(this.#bucket, FOLDER, { suffix: suffixOf(owner) });
  }

  /** Keys come in their order: all who have one chunk stand beside each other, and may stand on two pages. */
  async *storedBefore(beforeMs: number): AsyncGenerator<readonly Digest[]> {
    let sinceMs = new Map<string, number>();
    for await (const page of pagesOf(this.#bucket, `${FOLDER}/sha256/`)) {
      for (const { Key = '', LastModified } of page) {
        const hex = OWNED.exec(Key.slice(Key.lastIndexOf('/') + 1))?.[1];
        // One whose time is not told is not old.
        const ms = LastModified?.getTime() ?? Infinity;
        if (hex !== undefined) sinceMs.set(hex, Math.max(ms, sinceMs.get(hex) ?? ms));
      }
      const last = [...sinceMs].at(-1);
      if (last === undefined) continue;
      sinceMs.delete(last[0]);
      const whole = olderThan(beforeMs, sinceMs);
      if (whole.length > 0) yield whole;
      sinceMs = new Map([last]);
    }
    const rest = olderThan(beforeMs, sinceMs);
    if (rest.length > 0) yield rest;
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    for (const digest of digests) {
      const hex = digest.slice('sha256:'.length);
      for await (const page of pagesOf(this.#bucket, `${FOLDER}/sha256/${hex.slice(0, 2)}/${hex}`))
        await removeKeys(this.#bucket, keysOf(page));
    }
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return this.#all.removeAbandoned(nowMs, idleMs);
  }
}

const olderThan = (beforeMs: number, sinceMs: ReadonlyMap<string, number>): Digest[] =>
  [...sinceMs].filter(([, ms]) => ms < beforeMs).map(([hex]) => `sha256:${hex}`);

const keysOf = (page: readonly _Object[]): string[] => page.flatMap(({ Key }) => Key ?? []);
