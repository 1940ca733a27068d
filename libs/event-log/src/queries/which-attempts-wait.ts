import type { DispatchMessage, PoolName } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface WaitingAttemptsQuery {
  /** Absent: of all pools. */
  readonly pool?: PoolName;
  /** Only those that have waited at least this long, by the database's clock: the younger ones' messages may still travel. */
  readonly waitedAtLeastMs?: number;
  /** Only those that were queued by then, in ms since the epoch; absent or `Infinity`: however young. */
  readonly queuedUpToMs?: number;
  /** Only those that go after this one: to read on. */
  readonly after?: Pick<DispatchMessage, 'priority' | 'queuedAtMs' | 'runId' | 'jobKey'>;
  readonly limit: number;
}

const TEXT = `
  SELECT run_id AS "runId", job_key AS "jobKey", attempt, pool, priority, requirements,
         queued_at_ms AS "queuedAtMs", traceparent
  FROM attempt
  WHERE waiting AND ($1::text IS NULL OR pool = $1)
    AND queued_at_ms <= least((SELECT now_ms()) - $2::bigint, $3::bigint)
    AND ($4::int IS NULL OR (-priority, queued_at_ms, run_id, job_key) > (-$4::int, $5::bigint, $6::text, $7::text))
  ORDER BY priority DESC, queued_at_ms, run_id, job_key LIMIT $8`;

/** Queued attempts as dispatch messages, in the order they should go: to offer again what a lost bus no longer offers. */
export async function whichAttemptsWait(
  { pool: connections }: LogConnection,
  { pool, waitedAtLeastMs = 0, queuedUpToMs = Infinity, after, limit }: WaitingAttemptsQuery,
): Promise<DispatchMessage[]> {
  const place = [after?.priority ?? null, after?.queuedAtMs ?? null, after?.runId ?? null, after?.jobKey ?? null];
  const upToMs = Number.isFinite(queuedUpToMs) ? queuedUpToMs : null;
  const values = [pool ?? null, waitedAtLeastMs, upToMs, ...place, limit];
  return (await connections.query<DispatchMessage>({ name: 'which-attempts-wait', text: TEXT, values })).rows;
}
