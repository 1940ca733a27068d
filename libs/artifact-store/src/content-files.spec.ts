import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { contentContract, type ContentPlace } from './content-contract.fixture.ts';
import { ContentFiles } from './content-files.ts';

describe('content on a filesystem', () => {
  contentContract(openFiles);
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
