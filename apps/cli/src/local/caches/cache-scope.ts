import { basename, dirname } from 'node:path';
import { TRUSTED_DOMAIN } from '@delta-ci/contracts';
import { valueOf } from '../git-answers.ts';
import type { LocalChange } from '../local-change.ts';
import type { LocalCacheScope } from './local-caches.ts';

/**
 * What jobs of a local run may do with caches, by the branch that is checked out, as a mesh decides it by the ref of a change: the
 * main branch leaves what every branch is given, any other what it alone is given. So what somebody else's branch left while it
 * was tried here never gets into another. Without a branch the commit stands for one.
 */
export function cacheScope(repository: string, own: string, main: string | null): LocalCacheScope {
  if (own === main) return { repository, reads: [TRUSTED_DOMAIN], saves: TRUSTED_DOMAIN };
  return { repository, reads: [`ref:${own}`, TRUSTED_DOMAIN], saves: `ref:${own}` };
}

/** The scope of a change; all working trees of a repository are one repository. */
export async function cacheScopeOf({ repository, ref, head }: LocalChange): Promise<LocalCacheScope> {
  const commonDir = valueOf(await repository.commonDir());
  const directory = basename(commonDir) === '.git' ? dirname(commonDir) : commonDir;
  return cacheScope(directory, ref === 'HEAD' ? head : ref, valueOf(await repository.mainBranch()));
}
