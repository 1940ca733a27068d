import type { JobKey, LeaseHash, PoolName, RunId, RunnerCapabilities, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import type { HeldLease } from './which-leases-does-the-runner-hold.ts';

/** What decides whether a runner that asks for work may have some. */
export interface StandingRunner {
  readonly pool: PoolName;
  readonly capabilities: RunnerCapabilities;
  /** True once it was retired: it gets no further lease. */
  readonly retired: boolean;
  /** The lease it holds; null when it is free. */
  readonly held: HeldLease | null;
}

interface Row {
  readonly runnerId: RunnerId;
  readonly pool: PoolName;
  readonly capabilities: RunnerCapabilities;
  readonly present: boolean;
  readonly runId: RunId | null;
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly leaseHash: LeaseHash;
}

/** At most one lease of a runner is live, as the table's own index sees to. */
const TEXT = `
  SELECT r.runner_id AS "runnerId", r.pool, r.capabilities, r.present,
    l.run_id AS "runId", l.job_key AS "jobKey", l.fence AS attempt, l.lease_hash AS "leaseHash"
  FROM unnest($1::text[]) AS asked (runner_id)
  JOIN runner r ON r.runner_id = asked.runner_id
  LEFT JOIN lease l ON l.runner_id = r.runner_id AND l.live`;

/** Any number of runners in one statement, in the order of `runnerIds`; null for one that never registered. */
export async function howDoRunnersStand(
  { pool }: LogConnection,
  runnerIds: readonly RunnerId[],
): Promise<(StandingRunner | null)[]> {
  const { rows } = await pool.query<Row>({ name: 'how-do-runners-stand', text: TEXT, values: [runnerIds] });
  const found = new Map(rows.map((row) => [row.runnerId, standing(row)]));
  return runnerIds.map((runnerId) => found.get(runnerId) ?? null);
}

function standing({ pool, capabilities, present, runId, jobKey, attempt, leaseHash }: Row): StandingRunner {
  const held = runId === null ? null : { runId, jobKey, attempt, leaseHash };
  return { pool, capabilities, retired: !present, held };
}
