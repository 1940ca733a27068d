import type { PlannedJob } from '@delta-ci/contracts';
import type { CacheStore, ExecutorTier } from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import { safeLine } from '../../screen/safe-text.ts';
import type { Surroundings } from '../../surroundings.ts';
import type { LocalChange } from '../source/local-change.ts';
import { cacheScopeOf } from './cache-scope.ts';
import type { CachingRun, LocalCacheScope } from './local-caches.ts';
import { localCacheBounds, localCaches } from './open-local-caches.ts';

/** The caches of one local run. */
export interface Caching {
  readonly storeFor: (job: PlannedJob) => CacheStore;
  /** Takes away what is too old or too much, once all jobs are over. Never throws. */
  readonly tidy: () => Promise<void>;
}

/**
 * The caches that jobs of a run have; null when they have none, when nobody wants them, or, which is said, when nobody can tell whose
 * they would be.
 * @throws Problem for a bound that is none
 */
export async function cachingOf(
  surroundings: Surroundings,
  { cache }: { readonly cache: boolean },
  change: LocalChange,
  tier: ExecutorTier,
  jobs: readonly PlannedJob[],
): Promise<Caching | null> {
  if (!cache || jobs.every(({ caches }) => caches.length === 0)) return null;
  const bounds = localCacheBounds(surroundings);
  const caches = localCaches(surroundings);
  const scope = await scopeOrNone(surroundings, change, tier);
  if (scope === null) return null;
  const run: CachingRun = { scope, bounds, used: new Map() };
  return {
    storeFor: ({ key }) => caches.storeFor(run, key),
    tidy: async () => {
      await caches.tidy(run).catch((error: unknown) => {
        surroundings.err(`What jobs of earlier runs kept was not looked through: ${errorMessage(error)}\n`);
      });
    },
  };
}

async function scopeOrNone(
  { interrupted, err }: Surroundings,
  change: LocalChange,
  tier: ExecutorTier,
): Promise<LocalCacheScope | null> {
  try {
    return await cacheScopeOf(change, tier);
  } catch (error) {
    if (interrupted.aborted) throw error;
    err(`Jobs run without caches: ${safeLine(errorMessage(error))}\n`);
    return null;
  }
}
