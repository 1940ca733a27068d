import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CACHE_CHUNK_CONTENT_BYTES_MAX } from '@delta-ci/contracts';
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
