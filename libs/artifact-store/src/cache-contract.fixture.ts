import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Digest } from '@delta-ci/contracts';
import type { CacheStore, OwnedContent } from './artifact-store.ts';
import { digestOf } from './measured-bytes.ts';

/** A place that chunks are stored in. */
export interface CachePlace {
  readonly caches: CacheStore;
  /** Puts an object of nobody there. */
  leaveOwnerless(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Has everything that lies there be a day older, where a test can. */
  readonly age: (() => Promise<void>) | null;
  end(): Promise<void>;
}

const DAY_MS = 86_400_000;

/** What every `CacheStore` holds to, whatever it stores in. */
export function cacheContract(open: () => Promise<CachePlace>): void {
  let place: CachePlace;
  let ours: OwnedContent;
  let theirs: OwnedContent;
  beforeAll(async () => {
    place = await open();
    ours = place.caches.of('["github/octo/widgets","trusted"]');
    theirs = place.caches.of('["github/octo/widgets","ref:refs/pull/7/head"]');
  });
  afterAll(async () => place.end());

  const put = async (owned: OwnedContent, text: string): Promise<Digest> => {
    const bytes = Buffer.from(text);
    return (await owned.put(bytes, { expected: digestOf(bytes), sizeBytesMax: 100 })).digest;
  };
  const storedBefore = async (beforeMs: number): Promise<Digest[]> => {
    const told: Digest[] = [];
    for await (const portion of place.caches.storedBefore(beforeMs)) told.push(...portion);
    return told;
  };

  it('given what one owner has, then another neither finds nor reads it, and has his own of it once he brings it', async () => {
    const digest = await put(ours, 'a chunk');
    expect([await ours.size(digest), await theirs.size(digest), await theirs.open(digest)]).toEqual([7, null, null]);
    await expect(theirs.read(digest, 100)).rejects.toMatchObject({ code: 'not_found' });
    await put(theirs, 'a chunk');
    expect(Buffer.from(await theirs.read(digest, 100)).toString()).toBe('a chunk');
    await theirs.remove([digest]);
    expect([await ours.size(digest), await theirs.size(digest)]).toEqual([7, null]);
  });

  it('given what is removed by its digest, then nobody has it any more, and everybody has the rest', async () => {
    const [gone, kept] = [await put(ours, 'gone'), await put(ours, 'kept')];
    await put(theirs, 'gone');
    const left = digestOf('of nobody');
    await place.leaveOwnerless(left, Buffer.from('of nobody'));
    expect(await storedBefore(Date.now() + DAY_MS)).toContain(left);
    await place.caches.remove([gone, left, digestOf('never stored')]);
    expect([await ours.size(gone), await theirs.size(gone), await ours.size(kept)]).toEqual([null, null, 4]);
    expect(await storedBefore(Date.now() + DAY_MS)).not.toContain(left);
  });

  it('given what stands since before a time, then it is told once, whoever has it', async () => {
    const digest = await put(ours, 'old');
    await put(theirs, 'old');
    expect(await storedBefore(Date.now() - DAY_MS / 2)).toEqual([]);
    const told = await storedBefore(Date.now() + DAY_MS);
    expect(told.filter((each) => each === digest)).toHaveLength(1);
    expect(told).toHaveLength(new Set(told).size);
  });

  it('given what somebody has had for long and another just now, then it is young where that can be told', async () => {
    const [shared, alone] = [await put(ours, 'of both'), await put(ours, 'of one')];
    await place.age?.();
    await put(theirs, 'of both');
    const old = await storedBefore(Date.now() - DAY_MS / 2);
    expect(old).not.toContain(shared);
    expect(old.includes(alone)).toBe(place.age !== null);
  });
}
