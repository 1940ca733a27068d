import type { EpochMs, RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface DueRun {
  readonly runId: RunId;
  readonly dueAtMs: EpochMs;
}

/** Runs in which something has fallen due by the database's clock (lease expiry apart), longest due first. */
export async function whichRunsAreDue({ pool }: LogConnection, limit: number): Promise<DueRun[]> {
  const { rows } = await pool.query<{ run_id: RunId; due_at_ms: number }>({
    name: 'which-runs-are-due',
    text: 'SELECT run_id, due_at_ms FROM run_deadline WHERE due_at_ms <= (SELECT now_ms()) ORDER BY due_at_ms LIMIT $1',
    values: [limit],
  });
  return rows.map((row) => ({ runId: row.run_id, dueAtMs: row.due_at_ms }));
}
