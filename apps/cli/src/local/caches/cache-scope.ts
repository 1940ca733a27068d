import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { TRUSTED_DOMAIN } from '@delta-ci/contracts';
import type { LocalRepository } from '@delta-ci/git';
import type { ExecutorTier } from '@delta-ci/sandbox';
import { valueOf } from '../../git-answers.ts';
import type { LocalChange } from '../source/local-change.ts';
import type { LocalCacheScope } from './local-caches.ts';

/** Where caches belong: what is of another place is never given to a job, whatever its key. */
export type CachePlace = Pick<LocalCacheScope, 'repository' | 'identity' | 'tier'>;

/** What is tried, as far as caches are concerned. */
export interface TriedChange {
  /** The checked-out branch's full name; without one the commit's id stands for it. */
  readonly own: string;
  /** The branch that changes go into; null when nobody knows. */
  readonly main: string | null;
  readonly uncommitted: boolean;
}

/**
 * What jobs of a local run may do with caches, by the branch that is checked out, as a mesh decides it by the ref of a change: the
 * main branch leaves what every branch is given, any other what it alone is given. So what somebody else's branch left while it
 * was tried here never gets into another. Nor does a patch of somebody else's that lies on the main branch and is not committed:
 * what is not committed leaves what its branch alone is given, and the main branch only while such changes lie there.
 */
export function cacheScope(place: CachePlace, { own, main, uncommitted }: TriedChange): LocalCacheScope {
  if (own === main && !uncommitted) return { ...place, reads: [TRUSTED_DOMAIN], saves: TRUSTED_DOMAIN };
  return { ...place, reads: [`ref:${own}`, TRUSTED_DOMAIN], saves: `ref:${own}` };
}

/** The scope of a change whose jobs run in a tier. */
export async function cacheScopeOf(
  { repository, ref, head, uncommitted }: LocalChange,
  tier: ExecutorTier,
): Promise<LocalCacheScope> {
  const own = ref === 'HEAD' ? head : ref;
  const main = valueOf(await repository.mainBranch());
  return cacheScope({ ...(await cachedRepository(repository)), tier }, { own, main, uncommitted });
}

/** A directory as the file system tells it; when it was made in nanoseconds since 1970, 0 where that is not kept. */
export interface DirectoryFacts {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly birthtimeNs: bigint;
}

/**
 * What tells a directory from others that stood at its path. Not the number of its device, which may be another after each start or
 * mount of the same disk; it stands in where nobody keeps when a directory was made, and tells one disk from another at least.
 */
export const identityOf = ({ dev, ino, birthtimeNs }: DirectoryFacts): string =>
  birthtimeNs > 0n ? `${ino}:${birthtimeNs}` : `${ino}@${dev}`;

/**
 * A repository as caches know it; all of its working trees are one. Not by its path alone, where another may stand one day, and by
 * nothing that a copy of it has: by which directory its history lies in, and when that was made.
 */
export async function cachedRepository(
  repository: LocalRepository,
): Promise<Pick<CachePlace, 'repository' | 'identity'>> {
  const commonDir = valueOf(await repository.commonDir());
  return {
    repository: basename(commonDir) === '.git' ? dirname(commonDir) : commonDir,
    identity: identityOf(await stat(commonDir, { bigint: true })),
  };
}
