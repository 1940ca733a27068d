import { resolve } from 'node:path';
import { sizesOf } from '../local/caches/local-caches.ts';
import type { LocalCache } from '../local/caches/cache-index.ts';
import { localCaches, localCachesDirectory } from '../local/caches/open-local-caches.ts';
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
  const all = await localCaches(surroundings).list();
  const wanted = repository === undefined ? null : resolve(surroundings.directory, repository);
  const caches = all.filter((cache) => (wanted ?? cache.repository) === cache.repository).slice(0, limit);
  if (json === true) {
    printJson(surroundings, { directory: localCachesDirectory(surroundings), caches: caches.map(shown) });
    return EXIT.succeeded;
  }
  const directory = safeLine(localCachesDirectory(surroundings));
  surroundings.out(
    caches.length === 0
      ? `no caches are kept in ${directory}\n`
      : `${cacheTable(surroundings, caches)}\nkept in ${directory}, which may be removed at any time\n`,
  );
  return EXIT.succeeded;
}

/** `delta caches remove --local` */
export async function removeLocalCaches(
  surroundings: Surroundings,
  key: string,
  { repository, json }: LocalCacheOptions,
): Promise<ExitCode> {
  const wanted = repository === undefined ? null : resolve(surroundings.directory, repository);
  const removed = await localCaches(surroundings).remove(key, wanted);
  if (removed.length === 0) {
    throw new Problem('not_found', `this machine keeps nothing under the key ${key}`, {
      next: 'see what it keeps: delta caches list --local',
    });
  }
  if (json === true) printJson(surroundings, { removed: removed.map(shown) });
  else
    surroundings.out(
      `${plural(removed.length, 'cache')} removed, of ${removed.map(({ domain }) => safeLine(domain)).join(', ')}; the next job that misses one makes it again\n`,
    );
  return EXIT.succeeded;
}

const shown = ({ content, ...cache }: LocalCache) => ({ ...cache, ...sizesOf(content) });

function cacheTable(surroundings: Surroundings, caches: readonly LocalCache[]): string {
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
