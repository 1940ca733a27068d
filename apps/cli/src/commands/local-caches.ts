import { resolve } from 'node:path';
import { Git, openLocalRepository } from '@delta-ci/git';
import { errorCode, errorMessage } from '../error-code.ts';
import { sizesOf, type KeptCache } from '../local/caches/cache-index.ts';
import { cachedRepository } from '../local/caches/cache-scope.ts';
import type { LocalCaches } from '../local/caches/local-caches.ts';
import { localCaches, localCachesDirectory } from '../local/caches/open-local-caches.ts';
import { valueOf } from '../git-answers.ts';
import { outsideRepository } from '../local/machine/outside-repository.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { ageText, bytesText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface LocalCacheOptions {
  /** A directory: caches of the repository there alone. */
  readonly repository?: string;
  readonly json?: boolean;
}

/** `delta caches list --local` */
export async function listLocalCaches(
  surroundings: Surroundings,
  { repository, limit, json }: LocalCacheOptions & { readonly limit: number },
): Promise<ExitCode> {
  const wanted = await repositoryAt(surroundings, repository);
  const all = await withCaches(surroundings, async (caches) => caches.list());
  const ofIt = all.filter((cache) => (wanted ?? cache.repository) === cache.repository);
  const caches = ofIt.slice(0, limit);
  const directory = localCachesDirectory(surroundings);
  if (json === true) {
    printJson(surroundings, { directory, caches: caches.map(shown), more: ofIt.length - caches.length });
    return EXIT.succeeded;
  }
  if (caches.length === 0) {
    const whose = wanted === null ? '' : ` of ${safeLine(wanted)}`;
    surroundings.out(`no caches${whose} are kept in ${safeLine(directory)}\n`);
    return EXIT.succeeded;
  }
  surroundings.out(`${cacheTable(surroundings, caches)}\n`);
  if (caches.length < ofIt.length) {
    surroundings.out(`${ofIt.length - caches.length} more, which were saved before these: --limit\n`);
  }
  surroundings.out(`kept in ${safeLine(directory)}, which may be removed at any time\n`);
  return EXIT.succeeded;
}

/** `delta caches remove --local` */
export async function removeLocalCaches(
  surroundings: Surroundings,
  key: string,
  { repository, domain, json }: LocalCacheOptions & { readonly domain?: string },
): Promise<ExitCode> {
  const wanted = await repositoryAt(surroundings, repository);
  const removed = await withCaches(surroundings, async (caches) =>
    caches.remove(
      (cache) =>
        cache.key === key &&
        (wanted ?? cache.repository) === cache.repository &&
        (domain ?? cache.domain) === cache.domain,
    ),
  );
  if (removed.length === 0) {
    throw new Problem('not_found', `this machine keeps no such cache under the key ${key}`, {
      next: 'see what it keeps: delta caches list --local',
    });
  }
  if (json === true) printJson(surroundings, { removed: removed.map(shown) });
  else
    surroundings.out(
      `${plural(removed.length, 'cache')} removed, of ${removed.map((cache) => `${safeLine(cache.domain)} in tier ${cache.tier}`).join(', ')}; the next job that misses one makes it again\n`,
    );
  return EXIT.succeeded;
}

/** The repository that a directory belongs to, as its caches name it; the directory itself where there is none any more. */
async function repositoryAt(surroundings: Surroundings, text: string | undefined): Promise<string | null> {
  if (text === undefined) return null;
  const { environment, directory } = outsideRepository(surroundings, text);
  const path = resolve(directory, text);
  const opened = await openLocalRepository(new Git({ environment }), path);
  if (!opened.ok && NO_REPOSITORY.has(opened.error.code)) return path;
  const repository = valueOf(opened);
  try {
    return (await cachedRepository(repository)).repository;
  } finally {
    await repository.close();
  }
}

const NO_REPOSITORY: ReadonlySet<string> = new Set(['invalid_directory', 'not_a_repository', 'bare_repository']);

/** @throws Problem when what lies in the directory of caches cannot be read or removed */
async function withCaches<T>(surroundings: Surroundings, use: (caches: LocalCaches) => Promise<T>): Promise<T> {
  try {
    return await use(localCaches(surroundings));
  } catch (error) {
    if (errorCode(error) === null) throw error;
    throw new Problem('caches_unavailable', `what this machine keeps is out of reach: ${errorMessage(error)}`, {
      next: `look at ${localCachesDirectory(surroundings)}; it may be removed at any time`,
    });
  }
}

const shown = ({ content, ...cache }: KeptCache) => ({ ...cache, ...sizesOf(content) });

function cacheTable(surroundings: Surroundings, caches: readonly KeptCache[]): string {
  const now = surroundings.nowMs();
  const rows = caches.map((cache) => {
    const { sizeBytes, contentBytes } = sizesOf(cache.content);
    return [
      cache.key,
      cache.domain,
      cache.tier,
      bytesText(sizeBytes),
      bytesText(contentBytes),
      ageText(cache.savedAtMs, now),
      cache.jobKey,
      cache.repository,
    ];
  });
  return table(surroundings, ['KEY', 'DOMAIN', 'TIER', 'STORED', 'UNPACKED', 'SAVED', 'BY', 'REPOSITORY'], rows);
}
