import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CacheContent,
  CacheKey,
  EpochMs,
  JobKey,
  TrustDomain,
  canonicalJson,
  type FoundCache,
} from '@delta-ci/contracts';
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

/** One that is there. */
export interface KeptCache extends LocalCache {
  /** When a job was last given it, or saved it. */
  readonly usedAtMs: EpochMs;
}

/** Of all its chunks. */
export const sizesOf = ({ home, workspace }: CacheContent): Pick<FoundCache, 'sizeBytes' | 'contentBytes'> => {
  const chunks = [...home, ...workspace];
  return {
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0),
    contentBytes: chunks.reduce((sum, chunk) => sum + chunk.contentBytes, 0),
  };
};

const FILE = /^[0-9a-f]{64}\.json$/u;

/**
 * What is kept, a file for each cache, which several processes may use at once. A file is there whole or not at all, and holds the
 * SHA-256 of its name and of what follows; one that is not as it was written counts as not there, until one is saved in its place.
 * When a cache was used last is the time of its file.
 */
export class CacheIndex {
  readonly #directory: string;
  /** What is not whole yet. Whoever is killed meanwhile leaves it to those who tidy up there. */
  readonly #incoming: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'index');
    this.#incoming = join(directory, 'incoming');
  }

  async find(name: LocalCacheName): Promise<KeptCache | null> {
    return this.#read(fileOf(name));
  }

  /** False when one is kept under the name already: the first one stays. */
  async add(cache: LocalCache): Promise<boolean> {
    for (const directory of [this.#directory, this.#incoming]) await mkdir(directory, { recursive: true, mode: 0o700 });
    const file = fileOf(cache);
    const path = join(this.#directory, file);
    const json = JSON.stringify(cache);
    const unfinished = join(this.#incoming, randomUUID());
    try {
      await writeFile(unfinished, `${digestOf(file, json)}\n${json}`, { flag: 'wx', mode: 0o600 });
      const isFirst = await link(unfinished, path).then(
        () => true,
        (error: unknown) => otherwise('EEXIST', false, error),
      );
      if (isFirst) return true;
      if ((await this.#read(file)) !== null) return false;
      await rename(unfinished, path);
      return true;
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  /** Says that a cache is of use. Where that cannot be written down, it is of use all the same. */
  async touch(name: LocalCacheName, nowMs: EpochMs): Promise<void> {
    const now = new Date(nowMs);
    await utimes(join(this.#directory, fileOf(name)), now, now).catch(() => undefined);
  }

  /** Removes a cache that was found here, unless another one is kept under its name by now. */
  async remove(cache: KeptCache): Promise<void> {
    const kept = await this.find(cache);
    if (kept !== null && recordOf(kept) === recordOf(cache)) {
      await rm(join(this.#directory, fileOf(cache)), { force: true });
    }
  }

  /** All that is kept, newest first. */
  async all(): Promise<KeptCache[]> {
    const names = await readdir(this.#directory).catch((error: unknown) => otherwise<string[]>('ENOENT', [], error));
    const caches: KeptCache[] = [];
    for (const name of names) {
      const cache = FILE.test(name) ? await this.#read(name) : null;
      if (cache !== null) caches.push(cache);
    }
    return caches.sort((one, other) => other.savedAtMs - one.savedAtMs);
  }

  async #read(file: string): Promise<KeptCache | null> {
    try {
      const path = join(this.#directory, file);
      const cache = cacheIn(file, await readFile(path, 'utf8'));
      return cache === null ? null : { ...cache, usedAtMs: Math.round((await stat(path)).mtimeMs) };
    } catch (error) {
      // Another process may just have removed it.
      return otherwise('ENOENT', null, error);
    }
  }
}

/** @throws the error, if it has another code */
function otherwise<T>(code: string, value: T, error: unknown): T {
  if (errorCode(error) === code) return value;
  throw error;
}

function cacheIn(file: string, text: string): LocalCache | null {
  const [digest, json = ''] = text.split('\n', 2);
  if (digest !== digestOf(file, json)) return null;
  const parsed = LocalCache.safeParse(JSON.parse(json));
  return parsed.success && fileOf(parsed.data) === file ? parsed.data : null;
}

/** Without when it was used: the same for as long as it is the same cache. */
const recordOf = (cache: KeptCache): string => canonicalJson({ ...cache, usedAtMs: 0 });

/** The name of a cache's file, and of nothing else. */
export const fileOf = ({ repository, identity, tier, domain, key }: LocalCacheName): string =>
  `${createHash('sha256')
    .update(canonicalJson([repository, identity, tier, domain, key]))
    .digest('hex')}.json`;

const digestOf = (file: string, json: string): string =>
  createHash('sha256').update(file).update('\n').update(json).digest('hex');
