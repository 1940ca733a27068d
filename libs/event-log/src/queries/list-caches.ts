import type { CacheListQuery, CachePage, RemoveCachesRequest, SavedCache } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** The columns of a saved cache in short. */
export const SAVED_CACHE = `
  run_id AS "runId", job_key AS "jobKey", attempt, key, repository_id AS repository, domain, digest,
  size_bytes AS "sizeBytes", content_bytes AS "contentBytes", saved_at_ms AS "savedAtMs"`;

const NEWEST = `
  SELECT ${SAVED_CACHE} FROM cache
  WHERE removed_at_ms IS NULL AND ($1::text IS NULL OR repository_id = $1)
    AND ($2::bigint IS NULL OR (saved_at_ms, run_id, job_key, key) < ($2, $3::text, $4::text, $5::text))
  ORDER BY saved_at_ms DESC, run_id DESC, job_key DESC, key DESC LIMIT $6`;

/** Caches that are kept, newest first. Null: the cursor is not one of ours. */
export async function listCaches(
  { pool }: LogConnection,
  { repository, limit, cursor }: CacheListQuery,
): Promise<CachePage | null> {
  const after = cursor === undefined ? [null, null, null, null] : placeOf(cursor);
  if (after === null) return null;
  const { rows } = await pool.query<SavedCache>(NEWEST, [repository ?? null, ...after, limit + 1]);
  const caches = rows.slice(0, limit);
  const last = caches.at(-1);
  return { caches, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

const cursorOf = ({ savedAtMs, runId, jobKey, key }: SavedCache): string =>
  Buffer.from(JSON.stringify([savedAtMs, runId, jobKey, key])).toString('base64url');

function placeOf(cursor: string): [number, string, string, string] | null {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(place) || place.length !== 4) return null;
    const [savedAtMs, runId, jobKey, key] = place as unknown[];
    if (!Number.isSafeInteger(savedAtMs) || ![runId, jobKey, key].every((part) => typeof part === 'string'))
      return null;
    return [Number(savedAtMs), String(runId), String(jobKey), String(key)];
  } catch {
    return null;
  }
}

const UNDER_KEY = `
  SELECT ${SAVED_CACHE} FROM cache
  WHERE removed_at_ms IS NULL AND repository_id = $1 AND key = $2 AND ($3::text IS NULL OR domain = $3)
  ORDER BY domain = 'trusted' DESC, saved_at_ms LIMIT $4`;

/** What is kept of a repository under a key: what everybody reads first, and then the oldest. */
export async function whatIsKeptUnder(
  { pool }: LogConnection,
  { repository, key, domain }: Pick<RemoveCachesRequest, 'repository' | 'key' | 'domain'>,
  limit: number,
): Promise<SavedCache[]> {
  return (await pool.query<SavedCache>(UNDER_KEY, [repository, key, domain ?? null, limit])).rows;
}
