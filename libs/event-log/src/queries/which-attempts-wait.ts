import type { DispatchMessage, PoolName } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface WaitingAttemptsQuery {
  /** Absent: of all pools. */
  readonly pool?: PoolName;
  /** Only those that have waited at least this long, by the database's clock: the younger ones' messages may still travel. */
  readonly waitedAtLeastMs?: number;
  readonly limit: number;
}

const TEXT = `
  SELECT run_id AS "runId", job_key AS "jobKey", attempt, pool, priority, requirements,
         queued_at_ms AS "queuedAtMs", traceparent
  FROM attempt
  WHERE waiting AND ($1::text IS NULL OR pool = $1) AND queued_at_ms <= (SELECT now_ms()) - $2::bigint
  ORDER BY priority DESC, queued_at_ms, run_id, job_key LIMIT $3`;

/** Queued attempts as dispatch messages, in the order they should go: to offer again what a lost bus no longer offers. */
export async function whichAttemptsWait(
  { pool: connections }: LogConnection,
  { pool, waitedAtLeastMs = 0, limit }: WaitingAttemptsQuery,
): Promise<DispatchMessage[]> {
  const values = [pool ?? null, waitedAtLeastMs, limit];
  return (await connections.query<DispatchMessage>({ name: 'which-attempts-wait', text: TEXT, values })).rows;
}
