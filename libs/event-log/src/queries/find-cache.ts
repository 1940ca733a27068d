import type { CacheContent, Change, Digest, Repository, RepositoryId, RunId, TrustDomain } from '@delta-ci/contracts';
import { cacheScope, type CacheScope } from '@delta-ci/domain';
import type { LogConnection } from '../connection.ts';

/** What a run may do with caches, and of which repository. */
export interface RunCacheScope extends CacheScope {
  readonly repository: RepositoryId;
  /** Null while there is no plan. */
  readonly planDigest: Digest | null;
}

/** A cache that is kept, with what it holds. */
export interface KeptCache {
  readonly runId: RunId;
  readonly jobKey: string;
  readonly attempt: number;
  readonly key: string;
  readonly domain: TrustDomain;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly contentBytes: number;
  readonly savedAtMs: number;
  readonly content: CacheContent;
}

const RUN = 'SELECT repository, change, plan_digest FROM run WHERE run_id = $1';

/** Decided from what the run was created with. Null: there is no such run. */
export async function findCacheScope({ pool }: LogConnection, runId: RunId): Promise<RunCacheScope | null> {
  const query = { name: 'find-cache-scope', text: RUN, values: [runId] };
  const { rows } = await pool.query<{ repository: Repository; change: Change; plan_digest: Digest | null }>(query);
  const [run] = rows;
  if (run === undefined) return null;
  const { repository, change, plan_digest: planDigest } = run;
  return { ...cacheScope(change, repository), repository: repository.id, planDigest };
}

const KEPT = `
  SELECT run_id AS "runId", job_key AS "jobKey", attempt, key, domain, digest, size_bytes AS "sizeBytes",
         content_bytes AS "contentBytes", saved_at_ms AS "savedAtMs", content
  FROM cache
  WHERE repository_id = $1 AND domain = ANY($2::text[]) AND key = $3 AND removed_at_ms IS NULL
  ORDER BY array_position($2::text[], domain) LIMIT 1`;

/** What is kept under a key in the first of the domains that has it; null for a miss. */
export async function findCache(
  { pool }: LogConnection,
  { repository, reads }: Pick<RunCacheScope, 'repository' | 'reads'>,
  key: string,
): Promise<KeptCache | null> {
  const { rows } = await pool.query<KeptCache>({ name: 'find-cache', text: KEPT, values: [repository, reads, key] });
  return rows[0] ?? null;
}
