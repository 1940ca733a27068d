import { join } from 'node:path';
import { ContentFiles, StoreError } from '@delta-ci/artifact-store';
import {
  canonicalJson,
  type CacheChunk,
  type CacheContent,
  type FindCacheAnswer,
  type FoundCache,
  type TrustDomain,
} from '@delta-ci/contracts';
import { CacheFailed, type CacheStore, type ExecutorTier } from '@delta-ci/sandbox';
import { CacheIndex, type LocalCache } from './cache-index.ts';

/** Whose caches the jobs of a run are given, the first that has one, and where their own go. */
export interface LocalCacheScope {
  /** Its directory, as a person knows it. */
  readonly repository: string;
  /** Which directory that is: another one that stands at the same path later is another repository. */
  readonly identity: string;
  /** What jobs of another tier left is of another place, and may hold its paths. */
  readonly tier: ExecutorTier;
  readonly reads: readonly TrustDomain[];
  readonly saves: TrustDomain;
}

/** How much is kept, and for how long. */
export interface LocalCacheBounds {
  /** Of all repositories together, compressed. */
  readonly bytesMax: number;
  readonly keptMs: number;
}

/** Chunks of a cache stand for a while before there is a record of it: no longer than saving may take. */
const UNRECORDED_MS = 15 * 60_000;

/** Beside which a record is kept. */
export const sizesOf = ({ home, workspace }: CacheContent): Pick<FoundCache, 'sizeBytes' | 'contentBytes'> => {
  const chunks = [...home, ...workspace];
  return {
    sizeBytes: chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0),
    contentBytes: chunks.reduce((sum, chunk) => sum + chunk.contentBytes, 0),
  };
};

/**
 * Caches in a directory of this user's: an index, and chunks by their digests. Any number of processes may use it at once, and it
 * may be removed at any time. Whatever is not there any more, or not as it was saved, is a miss, and is saved anew.
 */
export class LocalCaches {
  readonly #index: CacheIndex;
  readonly #chunks: ContentFiles;
  readonly #nowMs: () => number;

  constructor(directory: string, nowMs: () => number) {
    this.#index = new CacheIndex(join(directory, 'index'));
    this.#chunks = new ContentFiles(directory, 'chunks');
    this.#nowMs = nowMs;
  }

  /** What one job is given, and where its own go. */
  storeFor(scope: LocalCacheScope, jobKey: string): CacheStore {
    const found = new Map<string, LocalCache>();
    return {
      find: async (key) => {
        const cache = await this.#firstOf(scope, key);
        if (cache === null) return { cache: null, saves: scope.saves };
        found.set(key, cache);
        return { cache: offered(cache), saves: scope.saves };
      },
      download: async (key, { digest, sizeBytes }) => {
        try {
          return Uint8Array.from(await this.#chunks.read(digest, sizeBytes));
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          // Nobody could save it anew while it stands.
          const cache = found.get(key);
          if (cache !== undefined) await this.#index.remove(cache);
          await this.#chunks.remove([digest]);
          throw new CacheFailed('damaged', error.message);
        }
      },
      upload: async ({ digest, sizeBytes }, bytes) => {
        await this.#chunks.put(bytes, { expected: digest, sizeBytesMax: sizeBytes });
      },
      giveUp: async ({ key, content }) => {
        const { repository, identity, tier, saves: domain } = scope;
        const kept = await this.#index.find({ repository, identity, tier, domain, key });
        if (kept !== null && canonicalJson(kept.content) === canonicalJson(content)) await this.#index.remove(kept);
      },
      save: async ({ key, content }) => {
        const { repository, identity, tier, saves: domain } = scope;
        const name = { repository, identity, tier, domain, key };
        const added = await this.#index.add({ ...name, jobKey, content, savedAtMs: this.#nowMs() });
        return added ? { domain } : null;
      },
    };
  }

  /** All that is kept, newest first. */
  async list(): Promise<LocalCache[]> {
    return this.#index.all();
  }

  /** Removes what is kept under a key; answers what that was. @param repository null: of all of them */
  async remove(key: string, repository: string | null): Promise<LocalCache[]> {
    const all = await this.#index.all();
    const wanted = all.filter((cache) => cache.key === key && (repository ?? cache.repository) === cache.repository);
    for (const cache of wanted) await this.#index.remove(cache);
    await this.#removeUnreferred();
    return wanted;
  }

  /**
   * Removes what is too old and what is too much: caches of other refs than the default branch first, and of these the oldest. Then
   * what no cache refers to.
   */
  async tidy({ bytesMax, keptMs }: LocalCacheBounds): Promise<void> {
    let bytes = 0;
    const sinceMs = this.#nowMs() - keptMs;
    for (const cache of dearestFirst(await this.#index.all())) {
      const { sizeBytes } = sizesOf(cache.content);
      if (cache.savedAtMs >= sinceMs && bytes + sizeBytes <= bytesMax) bytes += sizeBytes;
      else await this.#index.remove(cache);
    }
    await this.#removeUnreferred();
  }

  async #firstOf({ reads, repository, identity, tier }: LocalCacheScope, key: string): Promise<LocalCache | null> {
    for (const domain of reads) {
      const cache = await this.#index.find({ repository, identity, tier, domain, key });
      if (cache !== null) return cache;
    }
    return null;
  }

  /** Looked for before the index is read: what was recorded meanwhile refers to something that stands. */
  async #removeUnreferred(): Promise<void> {
    const nowMs = this.#nowMs();
    const candidates: string[] = [];
    for await (const digests of this.#chunks.storedBefore(nowMs - UNRECORDED_MS)) candidates.push(...digests);
    const referred = new Set((await this.#index.all()).flatMap(({ content }) => digestsOf(content)));
    await this.#chunks.remove(candidates.filter((digest) => !referred.has(digest)));
    await this.#chunks.removeAbandoned(nowMs, UNRECORDED_MS);
  }
}

const digestsOf = ({ home, workspace }: CacheContent): string[] => [...home, ...workspace].map(({ digest }) => digest);

function offered({ domain, content }: LocalCache): FindCacheAnswer['cache'] {
  const here = (chunks: readonly CacheChunk[]) => chunks.map((chunk) => ({ ...chunk, url: null }));
  return { domain, ...sizesOf(content), content: { home: here(content.home), workspace: here(content.workspace) } };
}

const dearestFirst = (caches: readonly LocalCache[]): LocalCache[] =>
  caches.toSorted(
    (one, other) =>
      Number(other.domain === 'trusted') - Number(one.domain === 'trusted') || other.savedAtMs - one.savedAtMs,
  );
