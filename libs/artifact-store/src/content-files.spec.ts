import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contentContract, type ContentPlace } from './content-contract.fixture.ts';
import { ContentFiles } from './content-files.ts';
import { digestOf } from './measured-bytes.ts';

describe('content on a filesystem', () => {
  contentContract(openFiles);
});

describe('files that several processes store and remove', () => {
  const BYTES = Buffer.from('the same');
  const DIGEST = digestOf(BYTES);
  let directory = '';
  let files: ContentFiles;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-content-'));
    files = new ContentFiles(directory);
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const put = async () => files.put(BYTES, { expected: DIGEST, sizeBytesMax: BYTES.byteLength });

  it('given bytes are removed while they are stored again, then storing them succeeds all the same', async () => {
    const storing = Array.from({ length: 100 }, async () => {
      for (let time = 0; time < 5; time += 1) await put();
    });
    const over = new AbortController();
    const stored = Promise.all(storing).finally(() => over.abort());
    while (!over.signal.aborted) await files.remove([DIGEST]);
    await stored;
    await put();
    expect(await files.size(DIGEST)).toBe(BYTES.byteLength);
  });

  it('given bytes were stored again since, then whoever removes what is old leaves them', async () => {
    await put();
    await files.remove([DIGEST], Date.now() - 60_000);
    expect(await files.size(DIGEST)).toBe(BYTES.byteLength);
    await files.remove([DIGEST], Date.now() + 60_000);
    expect(await files.size(DIGEST)).toBeNull();
  });
});

async function openFiles(): Promise<ContentPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'delta-content-'));
  return {
    content: new ContentFiles(directory),
    async names() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .sort();
    },
    async overwrite(digest, bytes) {
      const hex = digest.slice('sha256:'.length);
      await writeFile(join(directory, 'objects', 'sha256', hex.slice(0, 2), hex), bytes);
    },
    async leaveUpload() {
      const left = join(directory, 'incoming', 'left');
      await mkdir(join(directory, 'incoming'), { recursive: true });
      await writeFile(left, 'half');
      await utimes(left, new Date(), new Date());
    },
    end: async () => rm(directory, { recursive: true, force: true }),
  };
}
