import { join } from 'node:path';
import type { RepositoryId } from '@delta-ci/contracts';
import { findServedRepository, type ForgeSettings } from '@delta-ci/forge';
import { MirrorCache, type Git, type GitResult, type Mirror } from '@delta-ci/git';
import { failure, gitFailure, type PlanningFailure } from './planning-outcome.ts';

/** A repository of a configured forge, with its mirror. */
export interface BorrowedMirror {
  readonly mirror: Mirror;
  readonly defaultBranch: string;
}

/** Bare mirrors of the repositories that the forge settings name; nothing else is ever fetched. */
export class ServedMirrors {
  readonly #forges: readonly ForgeSettings[];
  readonly #caches: ReadonlyMap<string, MirrorCache>;

  /** @param dir absolute; each forge gets a folder of its own, because each says which addresses are allowed */
  constructor(git: Git, dir: string, forges: readonly ForgeSettings[]) {
    this.#forges = forges;
    this.#caches = new Map(forges.map((forge) => [forge.name, cacheFor(git, dir, forge)]));
  }

  /**
   * Lends the mirror of a repository. The address is the one from the settings: what an event carries is not asked.
   * `use` may be called a second time when the mirror turns out to be damaged, so it should only read.
   */
  async borrow<T>(
    id: RepositoryId,
    signal: AbortSignal,
    use: (borrowed: BorrowedMirror) => Promise<GitResult<T>>,
  ): Promise<{ readonly kind: 'done'; readonly value: T } | PlanningFailure> {
    const served = findServedRepository(this.#forges, id);
    const cache = served === null ? undefined : this.#caches.get(served.forge.name);
    if (served === null || cache === undefined) {
      return failure('repository_not_served', `no configured forge serves ${id}`);
    }
    const { cloneUrl, defaultBranch } = served.repository;
    const token = served.forge.sourceTokens.get(id) ?? served.forge.token;
    // A token over plain HTTP could be read on the way.
    const credential =
      token !== null && cloneUrl.startsWith('https:') ? { username: TOKEN_USER, password: token } : null;
    const how = { signal, ...(credential === null ? {} : { credential }) };
    const result = await cache.withMirror(cloneUrl, async (mirror) => use({ mirror, defaultBranch }), how);
    return result.ok ? { kind: 'done', value: result.value } : gitFailure(result.error);
  }
}

/** What GitHub wants as the user name beside a token of an application. */
const TOKEN_USER = 'x-access-token';

function cacheFor(git: Git, dir: string, forge: ForgeSettings): MirrorCache {
  return new MirrorCache({
    git,
    dir: join(dir, forge.name),
    allowProtocols: forge.cloneProtocols,
    addressPolicy: forge.allowPrivateAddresses ? { kind: 'any' } : { kind: 'public_only', alsoHosts: [] },
  });
}
