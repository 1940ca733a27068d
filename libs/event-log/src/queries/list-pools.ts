import type { DomainEventOf, EpochMs, PoolName, PoolView } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

const POOLS = `
  WITH known AS (
    SELECT pool FROM runner WHERE present UNION SELECT pool FROM attempt WHERE waiting UNION SELECT pool FROM pool_decision
  ),
  waiting AS (SELECT pool, count(*) AS queued FROM attempt WHERE waiting GROUP BY pool),
  held AS (
    SELECT a.pool, count(*) AS leased
    FROM lease l JOIN attempt a ON a.run_id = l.run_id AND a.job_key = l.job_key AND a.attempt = l.fence
    WHERE l.live GROUP BY a.pool
  )
  SELECT known.pool, coalesce(d.desired, 0) AS desired, coalesce(d.current, 0) AS current,
    coalesce(waiting.queued, 0) AS queued, coalesce(held.leased, 0) AS leased,
    coalesce(d.sentence, '') AS "lastDecision", d.decided_at_ms AS "decidedAtMs"
  FROM known
  LEFT JOIN waiting USING (pool)
  LEFT JOIN held USING (pool)
  LEFT JOIN LATERAL (
    SELECT desired, current, sentence, decided_at_ms FROM pool_decision
    WHERE pool_decision.pool = known.pool ORDER BY event_id DESC LIMIT 1
  ) d ON true
  ORDER BY known.pool`;

/** Every pool that has runners, work or a decision, with its latest decision. */
export async function listPools({ pool }: LogConnection): Promise<PoolView[]> {
  return (await pool.query<PoolView>(POOLS)).rows;
}

export type PoolDecision = DomainEventOf<'scaling.decided'>['data'] & { readonly decidedAtMs: EpochMs };

const DECISIONS = `
  SELECT pool, desired, current, action, count, signals, bounds, applied, sentence, decided_at_ms AS "decidedAtMs"
  FROM pool_decision WHERE pool = $1 ORDER BY event_id DESC LIMIT $2`;

/** A pool's decisions, newest first. */
export async function listPoolDecisions(
  { pool: connections }: LogConnection,
  pool: PoolName,
  limit: number,
): Promise<PoolDecision[]> {
  return (await connections.query<PoolDecision>(DECISIONS, [pool, limit])).rows;
}
