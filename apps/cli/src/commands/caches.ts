import type { SavedCache } from '@delta-ci/contracts';
import { gatewayFor } from '../api/gateway.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { ageText, bytesText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import { listLocalCaches, removeLocalCaches } from './local-caches.ts';
import type { ApiOptions } from './runs.ts';

export interface CacheListOptions extends ApiOptions {
  readonly repository?: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly local?: boolean;
}

export interface RemoveCachesOptions extends ApiOptions {
  readonly repository?: string;
  readonly domain?: string;
  readonly reason: string;
  readonly local?: boolean;
}

/** `delta caches list` */
export async function listCaches(surroundings: Surroundings, options: CacheListOptions): Promise<ExitCode> {
  if (options.local === true) return listLocalCaches(surroundings, options);
  const { repository, limit, cursor } = options;
  const page = await (await gatewayFor(surroundings, options)).listCaches({ repository, limit, cursor });
  if (options.json === true) {
    printJson(surroundings, page);
    return EXIT.succeeded;
  }
  surroundings.out(page.caches.length === 0 ? 'no caches are kept\n' : cacheTable(surroundings, page.caches));
  if (page.nextCursor !== null) surroundings.out(`\nmore: delta caches list --cursor ${safeLine(page.nextCursor)}\n`);
  return EXIT.succeeded;
}

/** `delta caches remove` */
export async function removeCaches(
  surroundings: Surroundings,
  key: string,
  { domain, reason, local, ...options }: RemoveCachesOptions,
): Promise<ExitCode> {
  if (local === true)
    return removeLocalCaches(surroundings, key, { ...options, ...(domain === undefined ? {} : { domain }) });
  const { repository } = options;
  if (repository === undefined) {
    throw new Problem('invalid_options', 'a mesh keeps caches of many repositories: say which with --repository', {
      next: 'or, for what `delta run` keeps on this machine, --local',
    });
  }
  const wanted = { repository, key, reason, ...(domain === undefined ? {} : { domain }) };
  const gateway = await gatewayFor(surroundings, options);
  const removed: SavedCache[] = [];
  try {
    // One request removes so many and no more.
    for (let more = true; more;) {
      const answer = await gateway.removeCaches(wanted);
      removed.push(...answer.removed);
      ({ more } = answer);
    }
  } catch (error) {
    if (removed.length === 0) throw error;
    tellRemoved(surroundings, removed, options);
    // What was left of them may have gone by its age meanwhile.
    if (error instanceof Problem && error.code === 'not_found') return EXIT.succeeded;
    throw error;
  }
  tellRemoved(surroundings, removed, options);
  return EXIT.succeeded;
}

function tellRemoved(surroundings: Surroundings, removed: readonly SavedCache[], { json }: ApiOptions): void {
  if (json === true) printJson(surroundings, { removed });
  else
    surroundings.out(
      `${plural(removed.length, 'cache')} removed, of ${domainsOf(removed)}; the next job that misses one makes it again\n`,
    );
}

/** More names are no help to anybody. */
const DOMAINS_SHOWN = 20;

function domainsOf(caches: readonly SavedCache[]): string {
  const domains = caches.slice(0, DOMAINS_SHOWN).map((cache) => safeLine(cache.domain));
  const others = caches.length - domains.length;
  return others === 0 ? domains.join(', ') : `${domains.join(', ')} and ${others} more`;
}

function cacheTable(surroundings: Surroundings, caches: readonly SavedCache[]): string {
  const now = surroundings.nowMs();
  const rows = caches.map((cache) => [
    cache.key,
    cache.domain,
    bytesText(cache.sizeBytes),
    bytesText(cache.contentBytes),
    ageText(cache.savedAtMs, now),
    `${cache.runId}/${cache.jobKey}`,
    cache.repository,
  ]);
  return table(surroundings, ['KEY', 'DOMAIN', 'STORED', 'UNPACKED', 'SAVED', 'BY', 'REPOSITORY'], rows);
}
