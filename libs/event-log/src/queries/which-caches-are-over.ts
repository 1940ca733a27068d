import type { Digest, SavedCache } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import { SAVED_CACHE } from './list-caches.ts';

/** How much is kept. */
export interface CacheBounds {
  readonly keptMs: number;
  readonly repositoryBytesMax: number;
}

const OLD = `
  SELECT ${SAVED_CACHE} FROM cache
  WHERE removed_at_ms IS NULL AND saved_at_ms + $1::bigint <= (SELECT now_ms())
  ORDER BY saved_at_ms LIMIT $2`;

/** Caches that were kept for long enough, by the database's clock, the oldest first. */
export async function whichCachesAreOld(
  { pool }: LogConnection,
  { keptMs }: Pick<CacheBounds, 'keptMs'>,
  limit: number,
): Promise<SavedCache[]> {
  return (await pool.query<SavedCache>({ name: 'which-caches-are-old', text: OLD, values: [keptMs, limit] })).rows;
}

/** What everybody reads stays longest, and of the same domain's the newest. */
const TOO_MANY = `
  SELECT ${SAVED_CACHE} FROM (
    SELECT *, sum(size_bytes) OVER (
      PARTITION BY repository_id ORDER BY domain = 'trusted' DESC, saved_at_ms DESC, run_id DESC, job_key DESC, key DESC
    ) AS with_those_before
    FROM cache WHERE removed_at_ms IS NULL
  ) ranked
  WHERE with_those_before > $1::bigint ORDER BY saved_at_ms LIMIT $2`;

/** Caches that have no room among those of their repository: of other refs than the default branch first, and the oldest of these. */
export async function whichCachesHaveNoRoom(
  { pool }: LogConnection,
  { repositoryBytesMax }: Pick<CacheBounds, 'repositoryBytesMax'>,
  limit: number,
): Promise<SavedCache[]> {
  const query = { name: 'which-caches-have-no-room', text: TOO_MANY, values: [repositoryBytesMax, limit] };
  return (await pool.query<SavedCache>(query)).rows;
}

const STILL_KEPT = `
  SELECT DISTINCT chunk AS digest
  FROM cache, jsonb_array_elements_text(jsonb_path_query_array(content, '$.*[*].digest')) AS of_cache (chunk)
  WHERE removed_at_ms IS NULL AND jsonb_path_query_array(content, '$.*[*].digest') ?| $1::text[]
    AND chunk = ANY($1::text[])`;

/** Those of the chunks that caches which are kept refer to. */
export async function whichChunksAreKept({ pool }: LogConnection, digests: readonly Digest[]): Promise<Set<Digest>> {
  const query = { name: 'which-chunks-are-kept', text: STILL_KEPT, values: [digests] };
  return new Set((await pool.query<{ digest: Digest }>(query)).rows.map(({ digest }) => digest));
}
