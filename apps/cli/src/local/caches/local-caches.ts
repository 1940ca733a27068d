import { ContentFiles, StoreError } from '@delta-ci/artifact-store';
import {
  canonicalJson,
  type CacheChunk,
  type CacheContent,
  type FindCacheAnswer,
  type TrustDomain,
} from '@delta-ci/contracts';
import { CacheFailed, type CacheStore, type ExecutorTier } from '@delta-ci/sandbox';
import { bytesText } from '../../screen/words.ts';
import { CacheIndex, fileOf, sizesOf, type KeptCache, type LocalCache, type LocalCacheName } from './cache-index.ts';
import { whichHaveNoRoom } from './fair-shares.ts';

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

/** One run, as far as caches are concerned. */
export interface CachingRun {
  readonly scope: LocalCacheScope;
  readonly bounds: LocalCacheBounds;
  /** What its jobs were given and have saved so far: compressed bytes, by the names of index files. */
  readonly used: Map<string, number>;
}

/** What jobs of private repositories leave is nobody else's. */
const PRIVATE = 0o700;

/** Chunks of a cache stand for a while before there is a record of it: no longer than saving may take. */
const UNRECORDED_MS = 15 * 60_000;

/**
 * Caches in a directory of this user's: an index, and chunks by their digests. Any number of processes may use it at once, and it
 * may be removed at any time. Whatever is not there any more, or not as it was saved, is a miss, and is saved anew.
 */
export class LocalCaches {
  readonly #index: CacheIndex;
  readonly #chunks: ContentFiles;
  readonly #nowMs: () => number;

  constructor(directory: string, nowMs: () => number) {
    this.#index = new CacheIndex(directory);
    this.#chunks = new ContentFiles(directory, 'chunks', '', PRIVATE);
    this.#nowMs = nowMs;
  }

  /** What one job is given, and where its own go. */
  storeFor(run: CachingRun, jobKey: string): CacheStore {
    const { scope, used } = run;
    const { repository, identity, tier, saves: domain } = scope;
    const ownName = (key: string) => ({ repository, identity, tier, domain, key });
    const found = new Map<string, KeptCache>();
    const sentBytes = new Map<string, number>();
    return {
      find: async (key) => {
        const cache = await this.#firstOf(scope, key);
        if (cache === null) return { cache: null, saves: scope.saves };
        found.set(key, cache);
        used.set(fileOf(cache), sizesOf(cache.content).sizeBytes);
        await this.#index.touch(cache, this.#nowMs());
        return { cache: offered(cache), saves: scope.saves };
      },
      download: async (key, chunk) => {
        try {
          return Uint8Array.from(await this.#chunks.read(chunk.digest, chunk.sizeBytes));
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          // Nobody could save it anew while it stands.
          const cache = found.get(key);
          if (cache !== undefined) {
            used.delete(fileOf(cache));
            await this.#index.remove(cache);
          }
          await this.#removeDamaged(chunk);
          throw new CacheFailed('damaged', error.message);
        }
      },
      upload: async (key, { digest, sizeBytes }, bytes) => {
        const withIt = (sentBytes.get(key) ?? 0) + sizeBytes;
        refuseTooMuch(run, ownName(key), withIt);
        sentBytes.set(key, withIt);
        await this.#chunks.put(bytes, { expected: digest, sizeBytesMax: sizeBytes });
      },
      giveUp: async ({ key, content }) => {
        const kept = await this.#index.find(ownName(key));
        if (kept !== null && canonicalJson(kept.content) === canonicalJson(content)) await this.#index.remove(kept);
      },
      save: async ({ key, content }) => {
        const cache = { ...ownName(key), jobKey, content, savedAtMs: this.#nowMs() };
        const { sizeBytes } = sizesOf(content);
        refuseTooMuch(run, cache, sizeBytes);
        used.set(fileOf(cache), sizeBytes);
        const added = await this.#index.add(cache);
        await this.#index.touch(cache, cache.savedAtMs);
        return added ? { domain } : null;
      },
    };
  }

  /** All that is kept, newest first. */
  async list(): Promise<KeptCache[]> {
    return this.#index.all();
  }

  /** Removes what is wanted to be; answers what that was. */
  async remove(isWanted: (cache: KeptCache) => boolean): Promise<KeptCache[]> {
    const wanted = (await this.#index.all()).filter(isWanted);
    for (const cache of wanted) await this.#index.remove(cache);
    await this.#removeUnreferred();
    return wanted;
  }

  /**
   * Removes what is too old, and what is too much: of each repository its share stays as far as possible, and what the run has used,
   * which would do the same again the next time. Then what no cache refers to.
   */
  async tidy({ bounds: { bytesMax, keptMs }, used }: Pick<CachingRun, 'bounds' | 'used'>): Promise<void> {
    const sinceMs = this.#nowMs() - keptMs;
    const all = await this.#index.all();
    const young = all.filter(({ savedAtMs }) => savedAtMs >= sinceMs);
    const old = all.filter(({ savedAtMs }) => savedAtMs < sinceMs);
    const many = whichHaveNoRoom(young, bytesMax, (cache) => used.has(fileOf(cache)));
    for (const cache of [...old, ...many]) await this.#index.remove(cache);
    await this.#removeUnreferred();
  }

  async #firstOf({ reads, repository, identity, tier }: LocalCacheScope, key: string): Promise<KeptCache | null> {
    for (const domain of reads) {
      const cache = await this.#index.find({ repository, identity, tier, domain, key });
      if (cache !== null) return cache;
    }
    return null;
  }

  /** Looked at again: another run may have removed it, and put a whole one in its place. */
  async #removeDamaged({ digest, sizeBytes }: CacheChunk): Promise<void> {
    const damage = await this.#chunks.read(digest, sizeBytes).then(
      () => null,
      (error: unknown) => error,
    );
    if (damage instanceof StoreError && damage.code !== 'not_found') await this.#chunks.remove([digest]);
  }

  /**
   * Looked for before the index is read, so that what was recorded meanwhile stands; and left alone where somebody has sent it again
   * since it was looked for, and is about to record it.
   */
  async #removeUnreferred(): Promise<void> {
    const nowMs = this.#nowMs();
    const beforeMs = nowMs - UNRECORDED_MS;
    const candidates: string[] = [];
    for await (const digests of this.#chunks.storedBefore(beforeMs)) candidates.push(...digests);
    const referred = new Set((await this.#index.all()).flatMap(({ content }) => digestsOf(content)));
    await this.#chunks.remove(
      candidates.filter((digest) => !referred.has(digest)),
      beforeMs,
    );
    await this.#chunks.removeAbandoned(nowMs, UNRECORDED_MS);
  }
}

/** @throws CacheFailed when a run, with so much under this name, would use more than is kept */
function refuseTooMuch({ bounds: { bytesMax }, used }: CachingRun, name: LocalCacheName, sizeBytes: number): void {
  const file = fileOf(name);
  let bytes = sizeBytes;
  for (const [other, size] of used) if (other !== file) bytes += size;
  if (bytes <= bytesMax) return;
  const all = bytesText(bytesMax);
  const why = `the caches of this run would have more than the ${all} that are kept here (DELTA_CACHES_KEPT_BYTES)`;
  throw new CacheFailed('too_large', why);
}

const digestsOf = ({ home, workspace }: CacheContent): string[] => [...home, ...workspace].map(({ digest }) => digest);

function offered({ domain, content }: LocalCache): FindCacheAnswer['cache'] {
  const here = (chunks: readonly CacheChunk[]) => chunks.map((chunk) => ({ ...chunk, url: null }));
  return { domain, ...sizesOf(content), content: { home: here(content.home), workspace: here(content.workspace) } };
}
