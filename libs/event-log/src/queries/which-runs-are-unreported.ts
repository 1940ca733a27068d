import type { RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface UnreportedRunsQuery {
  /** Runs that finished before are left alone: nobody waits for them any more, or the forge does not take them. */
  readonly finishedWithinMs: number;
  readonly limit: number;
}

/** A run that the forge has to catch up with. */
export interface UnreportedRun {
  readonly runId: RunId;
  /** Of the delivery or command that created it: what is published now belongs to the same trace. */
  readonly traceparent: string | null;
}

/**
 * Runs whose final state the forge does not show: those that go on, and those that finished lately without having been
 * reported. Runs for debugging are never shown there. Newest first.
 */
export async function whichRunsAreUnreported(
  { pool }: LogConnection,
  query: UnreportedRunsQuery,
): Promise<UnreportedRun[]> {
  const { rows } = await pool.query<UnreportedRun>({
    name: 'which-runs-are-unreported',
    text: `SELECT run_id AS "runId", traceparent FROM run
           WHERE NOT reported AND rerun -> 'debug' IS NULL AND (finished_at_ms IS NULL OR finished_at_ms > (SELECT now_ms()) - $1::bigint)
           ORDER BY created_at_ms DESC, run_id DESC LIMIT $2`,
    values: [query.finishedWithinMs, query.limit],
  });
  return rows;
}
