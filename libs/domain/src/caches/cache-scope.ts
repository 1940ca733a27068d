import { TRUSTED_DOMAIN, type Change, type Repository, type TrustDomain } from '@delta-ci/contracts';

/** Whose caches a run may be given, the first that has one; and where its own go, null when nowhere. */
export interface CacheScope {
  readonly reads: readonly TrustDomain[];
  readonly saves: TrustDomain | null;
}

/**
 * What a change may do with caches, by what its run was created with. Only the default branch saves where everybody reads; any
 * other ref of trusted people saves where that ref alone reads; and a stranger's change saves nowhere. Nor does a run that a person
 * asked for: nothing says that its commit is of the ref that was named beside it. So whatever a run is given was left by the default
 * branch or by its own ref.
 */
export function cacheScope(
  { kind, trust, ref, pullRequest }: Pick<Change, 'kind' | 'trust' | 'ref' | 'pullRequest'>,
  { defaultBranch }: Pick<Repository, 'defaultBranch'>,
): CacheScope {
  if (trust !== 'trusted' || kind === 'manual') return { reads: [TRUSTED_DOMAIN], saves: null };
  if (pullRequest === null && ref === `refs/heads/${defaultBranch}`)
    return { reads: [TRUSTED_DOMAIN], saves: TRUSTED_DOMAIN };
  const own = `ref:${ref}`;
  return { reads: [own, TRUSTED_DOMAIN], saves: own };
}
