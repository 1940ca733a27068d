import type { PlannedJob } from '@delta-ci/contracts';
import type { CacheStore, ExecutorTier } from '@delta-ci/sandbox';
import { errorMessage } from '../../error-code.ts';
import type { Surroundings } from '../../surroundings.ts';
import type { LocalChange } from '../local-change.ts';
import { cacheScopeOf } from './cache-scope.ts';
import { localCacheBounds, openLocalCaches } from './open-local-caches.ts';

/** The caches of one local run. */
export interface Caching {
  readonly storeFor: (job: PlannedJob) => CacheStore;
  /** Takes away what is too old or too much, once all jobs are over. Never throws. */
  readonly tidy: () => Promise<void>;
}

/**
 * The caches that jobs of a run have; null when they have none, or when nobody wants them.
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
  const caches = await openLocalCaches(surroundings);
  const scope = await cacheScopeOf(change, tier);
  return {
    storeFor: ({ key }) => caches.storeFor(scope, key),
    tidy: async () => {
      await caches.tidy(bounds).catch((error: unknown) => {
        surroundings.err(`What jobs of earlier runs kept was not looked through: ${errorMessage(error)}\n`);
      });
    },
  };
}
