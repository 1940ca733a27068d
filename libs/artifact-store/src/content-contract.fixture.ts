import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Digest } from '@delta-ci/contracts';
import type { ContentStore, StoredContent } from './artifact-store.ts';
import { digestOf } from './measured-bytes.ts';

/** A place that content is stored in, and how a test gets at it behind the store's back. */
export interface ContentPlace {
  readonly content: ContentStore;
  /** Everything that lies there, uploads under way included, by name. */
  names(): Promise<string[]>;
  /** Puts other bytes in an object's place. */
  overwrite(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Leaves an upload as a process does that died long ago. */
  leaveUpload(): Promise<void>;
  end(): Promise<void>;
}

/** More than one part of any store. */
const LARGE_BYTES = 11 * 1_024 ** 2;
const DAY_MS = 86_400_000;

/** What every `ContentStore` holds to, whatever it stores in. */
export function contentContract(open: () => Promise<ContentPlace>): void {
  let place: ContentPlace;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(async () => place.end());

  describe('writing', () => {
    writing(() => place);
  });
  describe('reading', () => {
    reading(() => place);
  });
  describe('removing', () => {
    removing(() => place);
  });
}

function writing(place: () => ContentPlace): void {
  it('stores bytes of any size under their digest, however they come in pieces', async () => {
    const sizes = fc.oneof(fc.nat(300), fc.constantFrom(LARGE_BYTES, LARGE_BYTES - 1));
    const cuts = fc.array(fc.integer({ min: 1, max: 9_000_000 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(255), cuts, async (size, fill, pieces) => {
        const bytes = Buffer.alloc(size, fill);
        const stored = await place().content.put(Readable.from(cut(bytes, pieces), { objectMode: false }), {
          expected: digestOf(bytes),
          sizeBytesMax: size,
        });
        expect(stored).toEqual({ digest: digestOf(bytes), sizeBytes: size });
        expect(await place().content.size(stored.digest)).toBe(size);
        expect(bytes.equals(await place().content.read(stored.digest, size))).toBe(true);
      }),
      { numRuns: 12 },
    );
  });

  it('stores the same bytes once, whoever writes them again or at the same moment', async () => {
    for (const size of [7, LARGE_BYTES]) {
      const bytes = Buffer.alloc(size, 'same');
      await Promise.all(Array.from({ length: 4 }, async () => put(place().content, bytes)));
      await put(place().content, bytes);
      expect(await receive(place().content, digestOf(bytes))).toEqual({ bytes: size, error: null });
    }
    const before = await place().names();
    await put(place().content, Buffer.alloc(7, 'same'));
    expect(await place().names()).toEqual(before);
  });

  it('refuses other bytes than announced, and nothing of them stays', async () => {
    const before = await place().names();
    for (const size of [4, LARGE_BYTES]) {
      const [evil, good] = [Buffer.alloc(size, 'evil'), Buffer.alloc(size, 'good')];
      await expect(put(place().content, evil, good)).rejects.toMatchObject({ code: 'digest_mismatch' });
      expect(await place().content.size(digestOf(evil))).toBeNull();
      expect(await place().content.size(digestOf(good))).toBeNull();
    }
    expect(await place().names()).toEqual(before);
  });

  it('refuses what is over the limit while it streams', async () => {
    const before = await place().names();
    for (const sizeBytesMax of [1_000, LARGE_BYTES]) {
      const endless = Readable.from(repeated(Buffer.alloc(64 * 1_024)));
      await expect(place().content.put(endless, { expected: digestOf('x'), sizeBytesMax })).rejects.toMatchObject({
        code: 'payload_too_large',
      });
      expect(endless.destroyed).toBe(true);
    }
    expect(await place().names()).toEqual(before);
  });

  it('leaves nothing of a source that breaks off, and passes its error on', async () => {
    const before = await place().names();
    for (const size of [10, LARGE_BYTES]) {
      const broken = Readable.from(thenBroken(Buffer.alloc(size)));
      const stored = place().content.put(broken, { expected: digestOf('x'), sizeBytesMax: 2 * LARGE_BYTES });
      await expect(stored).rejects.toThrow('the line went dead');
    }
    expect(await place().names()).toEqual(before);
  });
}

function reading(place: () => ContentPlace): void {
  it('finds nothing where nothing is', async () => {
    const digest = digestOf('never stored');
    await expect(place().content.read(digest, 10)).rejects.toMatchObject({ code: 'not_found' });
    expect(await place().content.open(digest)).toBeNull();
    expect(await place().content.size(digest)).toBeNull();
  });

  it('streams an object whole, also one without bytes', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('some'), Buffer.alloc(LARGE_BYTES, 'm')]) {
      const { digest } = await put(place().content, bytes);
      expect(await receive(place().content, digest)).toEqual({ bytes: bytes.byteLength, error: null });
    }
  });

  it('refuses to read more into memory than asked for', async () => {
    const { digest } = await put(place().content, Buffer.from('five!'));
    await expect(place().content.read(digest, 4)).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('never gives all of an object that reads back as another', async () => {
    const bytes = Buffer.alloc(300_000, 'a');
    const { digest } = await put(place().content, bytes);
    for (const lie of [Buffer.alloc(300_000, 'b'), Buffer.concat([bytes.subarray(1), Buffer.from('b')])]) {
      await place().overwrite(digest, lie);
      await expect(place().content.read(digest, 300_000)).rejects.toMatchObject({ code: 'digest_mismatch' });
      const got = await receive(place().content, digest);
      expect(got.error).toMatchObject({ code: 'digest_mismatch' });
      expect(got.bytes).toBeLessThan(bytes.byteLength);
    }
    await place().content.remove([digest]);
  });
}

function removing(place: () => ContentPlace): void {
  it('removes what is named, passes over what is not there, and lets it be stored again', async () => {
    const [first, second, kept] = await Promise.all(
      ['1st', '2nd', 'kept'].map(async (text) => put(place().content, Buffer.from(text))),
    );
    const digests = [first, second].map((each) => each?.digest ?? '');
    await place().content.remove([...digests, digestOf('never stored')]);
    await place().content.remove([]);
    expect(await Promise.all(digests.map(async (digest) => place().content.size(digest)))).toEqual([null, null]);
    expect(await place().content.size(kept?.digest ?? '')).toBe(4);
    await put(place().content, Buffer.from('1st'));
    expect(await place().content.size(digestOf('1st'))).toBe(3);
  });

  it('tells what stands since before a time, and what is no object of ours it passes over', async () => {
    const digests = await Promise.all(
      ['old', 'older'].map(async (text) => (await put(place().content, Buffer.from(text))).digest),
    );
    const storedBefore = async (beforeMs: number): Promise<Digest[]> => {
      const told: Digest[] = [];
      for await (const portion of place().content.storedBefore(beforeMs)) told.push(...portion);
      return told;
    };
    expect(await storedBefore(Date.now() - DAY_MS)).toEqual([]);
    await place().leaveUpload();
    const told = await storedBefore(Date.now() + DAY_MS);
    expect(told).toEqual(expect.arrayContaining(digests));
    expect(await Promise.all(told.map(async (digest) => place().content.size(digest)))).not.toContain(null);
    await place().content.removeAbandoned(Date.now() + 2 * DAY_MS, DAY_MS);
  });

  it('gives up uploads that were left, once they are old enough, and nothing else', async () => {
    const { digest } = await put(place().content, Buffer.from('stands'));
    const before = await place().names();
    await place().leaveUpload();
    expect(await place().content.removeAbandoned(Date.now() - 30 * DAY_MS, DAY_MS)).toBe(0);
    expect(await place().content.removeAbandoned(Date.now() + 2 * DAY_MS, DAY_MS)).toBe(1);
    expect(await place().content.removeAbandoned(Date.now() + 2 * DAY_MS, DAY_MS)).toBe(0);
    expect(await place().names()).toEqual(before);
    expect(await place().content.size(digest)).toBe(6);
  });
}

async function put(content: ContentStore, bytes: Uint8Array, announced: Uint8Array = bytes): Promise<StoredContent> {
  return content.put(bytes, { expected: digestOf(announced), sizeBytesMax: LARGE_BYTES });
}

async function receive(content: ContentStore, digest: Digest): Promise<{ bytes: number; error: unknown }> {
  let bytes = 0;
  try {
    for await (const chunk of (await content.open(digest))?.stream ?? []) bytes += (chunk as Buffer).byteLength;
    return { bytes, error: null };
  } catch (error) {
    return { bytes, error };
  }
}

function* cut(bytes: Buffer, pieces: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of pieces) {
    if (at >= bytes.byteLength) return;
    yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.byteLength) yield bytes.subarray(at);
}

function* repeated(bytes: Buffer): Generator<Buffer> {
  for (;;) yield bytes;
}

function* thenBroken(bytes: Buffer): Generator<Buffer> {
  yield bytes;
  throw new Error('the line went dead');
}
