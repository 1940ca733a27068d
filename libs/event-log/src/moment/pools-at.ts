import type { EpochMs, PoolName, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import type { FoundMoment } from './find-moment.ts';

export interface RunnerThen {
  readonly runnerId: RunnerId;
  readonly name: string;
  readonly pool: PoolName;
  readonly capabilities: unknown;
  readonly registeredAtMs: EpochMs;
  /**
   * Whether a lease that it acknowledged was over. Most runners take one in their life, and one that nobody manages ends without a
   * word: nothing says that such a runner is free, or there at all.
   */
  readonly spent: boolean;
}

export interface DecisionThen {
  readonly pool: PoolName;
  readonly desired: number;
  readonly applied: readonly string[];
  readonly sentence: string;
  readonly decidedAtMs: EpochMs;
}

/** A runner that retired since is looked for among those that registered in this time before the moment. */
const RUNNER_LIFE_MAX_MS = 7 * 24 * 3_600_000;
const RUNNERS_MAX = 10_000;

/** Runners that were there at a moment, by when they registered. */
export async function whichRunnersWereThere({ pool }: LogConnection, { atMs }: FoundMoment): Promise<RunnerThen[]> {
  if (atMs === null) return [];
  const columns = `runner_id AS "runnerId", name, pool, capabilities, registered_at_ms AS "registeredAtMs",
    EXISTS (SELECT 1 FROM lease WHERE NOT live AND lease.runner_id = runner.runner_id
      AND activated_at_ms <= $2 AND ended_at_ms <= $2) AS spent`;
  const { rows } = await pool.query<RunnerThen>(
    `SELECT ${columns} FROM runner WHERE present AND registered_at_ms <= $2
     UNION ALL
     SELECT ${columns} FROM runner WHERE NOT present AND registered_at_ms BETWEEN $1 AND $2 AND retired_at_ms > $2
     ORDER BY 5, 1 LIMIT ${RUNNERS_MAX}`,
    [atMs - RUNNER_LIFE_MAX_MS, atMs],
  );
  return rows;
}

/** The last scaling decision of each pool up to a moment: ids of events grow with time. */
export async function lastDecisions(
  { pool: connections }: LogConnection,
  pools: readonly PoolName[],
  { atMs }: FoundMoment,
): Promise<Map<PoolName, DecisionThen>> {
  if (atMs === null) return new Map();
  const { rows } = await connections.query<DecisionThen>(
    `SELECT d.pool, d.desired, d.applied, d.sentence, d.decided_at_ms AS "decidedAtMs"
     FROM unnest($1::text[]) AS wanted (pool) CROSS JOIN LATERAL (
       SELECT * FROM pool_decision WHERE pool_decision.pool = wanted.pool AND event_id < $2::uuid
       ORDER BY event_id DESC LIMIT 1
     ) AS d`,
    [pools, firstIdAfter(atMs)],
  );
  return new Map(rows.map((decision) => [decision.pool, decision]));
}

/** The smallest UUID of version 7 that is later than a millisecond. */
function firstIdAfter(atMs: EpochMs): string {
  const time = (atMs + 1).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
