import type { Digest, ExpiredArtifact } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

const DUE = `
  SELECT run_id AS "runId", job_key AS "jobKey", attempt, name, digest, size_bytes AS "sizeBytes",
         retention_days AS "retentionDays", recorded_at_ms AS "recordedAtMs"
  FROM artifact
  WHERE expired_at_ms IS NULL AND recorded_at_ms + retention_days * 86400000::bigint <= (SELECT now_ms())
  ORDER BY recorded_at_ms + retention_days * 86400000::bigint LIMIT $1`;

/** Artifacts that were kept for as long as was asked for, by the database's clock, the longest past first. */
export async function whichArtifactsExpired({ pool }: LogConnection, limit: number): Promise<ExpiredArtifact[]> {
  return (await pool.query<ExpiredArtifact>({ name: 'which-artifacts-expired', text: DUE, values: [limit] })).rows;
}

const KEPT = `
  SELECT digest, count(*)::int AS artifacts FROM artifact WHERE digest = ANY($1::text[]) AND expired_at_ms IS NULL
  GROUP BY digest`;

/** How many artifacts that have not expired refer to each of these digests; those that none refers to are left out. */
export async function whoKeepsDigests(
  { pool }: LogConnection,
  digests: readonly Digest[],
): Promise<Map<Digest, number>> {
  const query = { name: 'who-keeps-digests', text: KEPT, values: [digests] };
  const { rows } = await pool.query<{ digest: Digest; artifacts: number }>(query);
  return new Map(rows.map(({ digest, artifacts }) => [digest, artifacts]));
}

const LAST = `
  SELECT digest FROM artifact WHERE expired_at_ms IS NOT NULL ORDER BY expired_at_ms DESC LIMIT $1`;

/** Digests of the artifacts that expired last; one as often as artifacts had it. */
export async function whatExpiredLast({ pool }: LogConnection, limit: number): Promise<Digest[]> {
  const query = { name: 'what-expired-last', text: LAST, values: [limit] };
  return (await pool.query<{ digest: Digest }>(query)).rows.map(({ digest }) => digest);
}
