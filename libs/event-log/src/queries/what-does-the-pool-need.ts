import type { EpochMs, PoolName, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** What a pool's demand and capacity look like at one moment, by the database's clock. */
export interface PoolDemand {
  readonly nowMs: EpochMs;
  readonly queued: number;
  /** 0 when nothing is queued. */
  readonly oldestQueuedAgeMs: number;
  /** Live leases of the pool's attempts. */
  readonly leased: number;
  /** Registered runners without a live lease. */
  readonly idleRunners: readonly RunnerId[];
  /**
   * Those of `idleRunners` that acknowledged a lease: one that takes a single lease in its life waits for no other, but has yet to
   * end. Of a lease that ended before it was acknowledged a runner may never have heard, and then it waits for another.
   */
  readonly spentRunners: readonly RunnerId[];
}

const TEXT = `
  WITH clock AS MATERIALIZED (SELECT now_ms() AS now_ms),
  queue AS (SELECT count(*) AS queued, min(queued_at_ms) AS oldest_at_ms FROM attempt WHERE waiting AND pool = $1),
  idle AS (
    SELECT r.runner_id, EXISTS (SELECT 1 FROM lease l
      WHERE NOT l.live AND l.runner_id = r.runner_id AND l.activated_at_ms IS NOT NULL) AS spent
    FROM runner r WHERE r.present AND r.pool = $1
      AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.live AND l.runner_id = r.runner_id))
  SELECT clock.now_ms AS "nowMs", queue.queued,
    coalesce(greatest(clock.now_ms - queue.oldest_at_ms, 0), 0) AS "oldestQueuedAgeMs",
    (SELECT count(*) FROM lease l JOIN attempt a ON a.run_id = l.run_id AND a.job_key = l.job_key AND a.attempt = l.fence
       WHERE l.live AND a.pool = $1) AS leased,
    ARRAY(SELECT runner_id FROM idle ORDER BY runner_id) AS "idleRunners",
    ARRAY(SELECT runner_id FROM idle WHERE spent ORDER BY runner_id) AS "spentRunners"
  FROM clock, queue`;

/** Demand and capacity of one pool. */
export async function whatDoesThePoolNeed({ pool: connections }: LogConnection, pool: PoolName): Promise<PoolDemand> {
  const { rows } = await connections.query<PoolDemand>({ name: 'pool-demand', text: TEXT, values: [pool] });
  const demand = rows[0];
  if (demand === undefined) throw new Error('counting always gives one row');
  return demand;
}
