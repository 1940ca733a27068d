import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CACHE_CHUNK_CONTENT_BYTES_MAX } from '@delta-ci/contracts';
import { withShortFiles } from '../../../../../test/support/short-files.ts';
import { ArchiveSender } from './chunked-archive.ts';

describe('an archive on its way out', () => {
  it('given one byte more than it may have, then it ends by name, and nothing is left under way', async () => {
    let underWay = 0;
    const upload = async (): Promise<void> => {
      underWay += 1;
      await new Promise<void>((resolve) => setImmediate(resolve));
      underWay -= 1;
    };
    const sender = new ArchiveSender({ upload }, 'npm-1', new AbortController().signal, 1);
    const chunk = randomBytes(CACHE_CHUNK_CONTENT_BYTES_MAX);
    await sender.write(chunk);
    await expect(sender.write(chunk.subarray(0, 1))).rejects.toMatchObject({ code: 'too_large' });
    await sender.abort();
    expect(underWay).toBe(0);
  });

  it('given the store fails, then whoever writes hears of it', async () => {
    const upload = () => Promise.reject(new Error('no answer'));
    const sender = new ArchiveSender({ upload }, 'npm-1', new AbortController().signal, 10);
    await sender.write(Buffer.from('x'));
    await expect(sender.end()).rejects.toThrow('no answer');
  });
});

describe('an archive on its way in', () => {
  const MIB = 1024 ** 2;
  let place: string;
  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), 'delta-chunks-'));
  });
  afterAll(async () => rm(place, { recursive: true, force: true }));

  /** Two chunks, the second of which crosses a mebibyte, into a file that the kernel lets grow to so much. */
  const fetched = async (name: string, bytesMax: number): Promise<unknown> =>
    withShortFiles(bytesMax, {
      source: join(import.meta.dirname, 'chunked-archive.ts'),
      body: `
        import { createHash } from 'node:crypto';
        import { zstdCompressSync } from 'node:zlib';
        const stored = new Map(['a', 'b'].map((letter) => {
          const bytes = zstdCompressSync(Buffer.alloc(600_000, letter));
          return ['sha256:' + createHash('sha256').update(bytes).digest('hex'), bytes];
        }));
        const chunks = [...stored].map(([digest, { length }]) => ({ digest, sizeBytes: length, contentBytes: 600_000 }));
        const store = { download: (_key, { digest }) => Promise.resolve(stored.get(digest)) };
        try {
          await source.fetchArchive(store, 'a key', chunks, given, new AbortController().signal);
          answer('whole');
        } catch ({ code, message }) {
          answer({ code, message });
        }`,
      given: join(place, name),
    });

  it('given a disk on which only the end of a chunk has no room, then the disk is to blame, and not what was saved', async () => {
    expect(await fetched('short', MIB)).toEqual({
      code: 'sandbox_failed',
      message: expect.stringMatching(/archive.*EFBIG/),
    });
  });

  it('given room, then each chunk is at its place, whole', async () => {
    expect(await fetched('whole', 2 * MIB)).toBe('whole');
    const content = Buffer.concat(['a', 'b'].map((letter) => Buffer.alloc(600_000, letter)));
    const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(digestOf(await readFile(join(place, 'whole')))).toBe(digestOf(content));
  });
});
