import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe } from '@jest/globals';
import { cacheContract, type CachePlace } from './cache-contract.fixture.ts';
import { CacheFiles } from './cache-files.ts';

const DAY_S = 86_400;

describe('chunks of caches on a filesystem', () => {
  cacheContract(openFiles);
});

async function openFiles(): Promise<CachePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'delta-chunks-'));
  return {
    caches: new CacheFiles(directory),
    async leaveOwnerless(digest, bytes) {
      const hex = digest.slice('sha256:'.length);
      const path = join(directory, 'caches', 'sha256', hex.slice(0, 2), hex);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
    async age() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
        const path = join(parentPath, name);
        const { mtimeMs } = await stat(path);
        await utimes(path, mtimeMs / 1_000 - DAY_S, mtimeMs / 1_000 - DAY_S);
      }
    },
    end: async () => rm(directory, { recursive: true, force: true }),
  };
}
