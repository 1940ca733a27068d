import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CacheContent, CacheKey, EpochMs, JobKey, TrustDomain, canonicalJson } from '@delta-ci/contracts';
import { z } from 'zod';
import { errorCode } from '../../error-code.ts';

/** A cache that this machine keeps. */
export const LocalCache = z.strictObject({
  /** The directory of the repository whose jobs left it. */
  repository: z.string().min(1),
  /** Which of all that ever stood there. */
  identity: z.string().min(1),
  /** The tier of isolation they ran in: where a workspace lies, and what is around it, differs. */
  tier: z.string().min(1),
  domain: TrustDomain,
  key: CacheKey,
  jobKey: JobKey,
  content: CacheContent,
  savedAtMs: EpochMs,
});
export type LocalCache = z.infer<typeof LocalCache>;

/** What one cache is found by. */
export type LocalCacheName = Pick<LocalCache, 'repository' | 'identity' | 'tier' | 'domain' | 'key'>;

const FILE = /^[0-9a-f]{64}\.json$/u;

/**
 * What is kept, a file for each cache, which several processes may use at once. A file is there whole or not at all, and holds the
 * SHA-256 of its name and of what follows; one that is not as it was written counts as not there, and is removed.
 */
export class CacheIndex {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async find(name: LocalCacheName): Promise<LocalCache | null> {
    return this.#read(fileOf(name));
  }

  /** False when one is kept under the name already: the first one stays. */
  async add(cache: LocalCache): Promise<boolean> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = fileOf(cache);
    const json = JSON.stringify(cache);
    const unfinished = join(this.#directory, `${randomUUID()}.unfinished`);
    try {
      await writeFile(unfinished, `${digestOf(file, json)}\n${json}`, { flag: 'wx', mode: 0o600 });
      await link(unfinished, join(this.#directory, file));
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  async remove(name: LocalCacheName): Promise<void> {
    await rm(join(this.#directory, fileOf(name)), { force: true });
  }

  /** All that is kept, newest first. */
  async all(): Promise<LocalCache[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    });
    const caches: LocalCache[] = [];
    for (const name of names) {
      const cache = FILE.test(name) ? await this.#read(name) : null;
      if (cache !== null) caches.push(cache);
    }
    return caches.sort((one, other) => other.savedAtMs - one.savedAtMs);
  }

  async #read(file: string): Promise<LocalCache | null> {
    const path = join(this.#directory, file);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      // Another process may just have removed it.
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return null;
    const cache = cacheIn(file, text);
    if (cache === null) await rm(path, { force: true });
    return cache;
  }
}

function cacheIn(file: string, text: string): LocalCache | null {
  const [digest, json = ''] = text.split('\n', 2);
  if (digest !== digestOf(file, json)) return null;
  // Another version may have written it.
  const parsed = LocalCache.safeParse(JSON.parse(json));
  return parsed.success && fileOf(parsed.data) === file ? parsed.data : null;
}

const fileOf = ({ repository, identity, tier, domain, key }: LocalCacheName): string =>
  `${createHash('sha256')
    .update(canonicalJson([repository, identity, tier, domain, key]))
    .digest('hex')}.json`;

const digestOf = (file: string, json: string): string =>
  createHash('sha256').update(file).update('\n').update(json).digest('hex');
