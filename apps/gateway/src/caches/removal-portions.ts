import { REMOVED_CACHES_AT_ONCE_MAX, type SavedCache } from '@delta-ci/contracts';

/** As many as one request removes: a repository has about one under a key for each ref that had jobs within a month. */
const REMOVED_MAX = 10_000;

/** So many have to be looked for, to know whether there are more than one request removes. */
export const LOOKED_FOR = REMOVED_MAX + 1;

export interface Removal {
  /** What goes now, as far as one record takes it each. */
  readonly portions: readonly SavedCache[][];
  /** Whether more was found than one request removes. */
  readonly more: boolean;
}

/** What one request removes of what was found. */
export function removalOf(found: readonly SavedCache[]): Removal {
  const now = found.slice(0, REMOVED_MAX);
  const portions = Array.from({ length: Math.ceil(now.length / REMOVED_CACHES_AT_ONCE_MAX) }, (_, at) =>
    now.slice(at * REMOVED_CACHES_AT_ONCE_MAX, (at + 1) * REMOVED_CACHES_AT_ONCE_MAX),
  );
  return { portions, more: found.length > now.length };
}
