import type { RunSummary } from '@delta-ci/contracts';
import type { EntityManager } from 'typeorm';
import type { ProjectionRows } from '../projections/rows.ts';

type RunRow = ProjectionRows['run'];
type JobCounts = Readonly<Record<string, number>>;

/** How many jobs each run has in each state; finished ones by their outcome. */
export async function jobCountsOf(manager: EntityManager, runIds: readonly string[]): Promise<Map<string, JobCounts>> {
  const rows: { run_id: string; standing: string; jobs: number }[] = await manager.query(
    `SELECT run_id, coalesce(outcome, state) AS standing, count(*)::integer AS jobs
     FROM job WHERE run_id = ANY($1::text[]) GROUP BY 1, 2 ORDER BY 2`,
    [runIds],
  );
  const counts = new Map<string, Record<string, number>>(runIds.map((runId) => [runId, {}]));
  for (const { run_id, standing, jobs } of rows) Object.assign(counts.get(run_id) ?? {}, { [standing]: jobs });
  return counts;
}

/** A row of `run` as the public API shows it. The columns were filled from checked events, so they hold what the types say. */
export function runSummaryOf(row: RunRow, jobCounts: JobCounts): RunSummary {
  return {
    runId: row.run_id,
    repository: row.repository as RunSummary['repository'],
    change: row.change as RunSummary['change'],
    actor: row.actor as RunSummary['actor'],
    state: row.state as RunSummary['state'],
    outcome: row.outcome as RunSummary['outcome'],
    reason: row.reason,
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    reported: row.reported,
    supersededBy: row.superseded_by,
    rerun: row.rerun as RunSummary['rerun'],
    planDigest: row.plan_digest,
    summary: row.summary,
    jobCounts,
  };
}
