import type { Digest } from '@delta-ci/contracts';
import type { CacheStore } from '../artifact-store.ts';
import { hexAt, suffixOf } from '../object-names.ts';
import { ContentObjects } from './content-objects.ts';
import { pagesOf, removeKeys } from './listed-objects.ts';
import type { S3Bucket } from './s3-bucket.ts';

const FOLDER = 'caches';
/** Each chunk is looked up by itself: so many of them at a time. */
const LOOKED_UP_AT_ONCE = 16;

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
        const hex = hexAt(Key);
        // One whose time is not told is not old.
        const ms = LastModified?.getTime() ?? Infinity;
        if (hex !== null) sinceMs.set(hex, Math.max(ms, sinceMs.get(hex) ?? ms));
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
    const keys: string[] = [];
    for (let at = 0; at < digests.length; at += LOOKED_UP_AT_ONCE) {
      const some = digests.slice(at, at + LOOKED_UP_AT_ONCE);
      const found = await Promise.all(some.map(async (digest) => this.#keysOf(digest)));
      keys.push(...found.flat());
    }
    await removeKeys(this.#bucket, keys);
  }

  /** Of all who have a chunk. */
  async #keysOf(digest: Digest): Promise<string[]> {
    const hex = digest.slice('sha256:'.length);
    const keys: string[] = [];
    for await (const page of pagesOf(this.#bucket, `${FOLDER}/sha256/${hex.slice(0, 2)}/${hex}`))
      keys.push(...page.flatMap(({ Key }) => Key ?? []));
    return keys;
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return this.#all.removeAbandoned(nowMs, idleMs);
  }
}

const olderThan = (beforeMs: number, sinceMs: ReadonlyMap<string, number>): Digest[] =>
  [...sinceMs].filter(([, ms]) => ms < beforeMs).map(([hex]) => `sha256:${hex}`);
