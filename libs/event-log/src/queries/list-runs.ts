import { RunOutcome, type RunListQuery, type RunPage } from '@delta-ci/contracts';
import type { SelectQueryBuilder } from 'typeorm';
import type { LogConnection } from '../connection.ts';
import type { ProjectionRows } from '../projections/rows.ts';
import { jobCountsOf, runSummaryOf } from './run-summary.ts';

type RunRow = ProjectionRows['run'];

/** Where a page ended: runs are listed newest first, by creation and then by id. */
interface Place {
  readonly createdAtMs: number;
  readonly runId: string;
}

/** Runs that match, newest first. Null: the cursor is not one of ours. */
export async function listRuns({ reads }: LogConnection, query: RunListQuery): Promise<RunPage | null> {
  const after = query.cursor === undefined ? undefined : placeOf(query.cursor);
  if (after === null) return null;
  return reads.transaction('REPEATABLE READ', async (manager) => {
    const select = manager.createQueryBuilder<RunRow>('run', 'run');
    const found = await newestFirst(matching(select, query, after))
      .limit(query.limit + 1)
      .getMany();
    const rows = found.slice(0, query.limit);
    const last = rows.at(-1);
    const counts = await jobCountsOf(
      manager,
      rows.map((row) => row.run_id),
    );
    return {
      runs: rows.map((row) => runSummaryOf(row, counts.get(row.run_id) ?? {})),
      nextCursor: found.length > query.limit && last !== undefined ? cursorOf(last) : null,
    };
  });
}

function matching(
  select: SelectQueryBuilder<RunRow>,
  { repository, ref, state, actor }: RunListQuery,
  after: Place | undefined,
): SelectQueryBuilder<RunRow> {
  if (repository !== undefined) select.andWhere('run.repository_id = :repository', { repository });
  if (ref !== undefined) select.andWhere('run.ref = :ref', { ref });
  if (actor !== undefined) select.andWhere('run.actor_name = :actor', { actor });
  if (state !== undefined) select.andWhere(isOutcome(state) ? 'run.outcome = :state' : 'run.state = :state', { state });
  if (after !== undefined) select.andWhere('(run.created_at_ms, run.run_id) < (:createdAtMs, :runId)', { ...after });
  return select;
}

const isOutcome = (state: string): boolean => RunOutcome.safeParse(state).success;

const newestFirst = (select: SelectQueryBuilder<RunRow>): SelectQueryBuilder<RunRow> =>
  select.orderBy('run.created_at_ms', 'DESC').addOrderBy('run.run_id', 'DESC');

const cursorOf = (row: RunRow): string => `${row.created_at_ms}.${row.run_id}`;

function placeOf(cursor: string): Place | null {
  const [, createdAtMs, runId] = /^(\d{1,15})\.(run_[0-9a-f]{32})$/.exec(cursor) ?? [];
  return createdAtMs === undefined || runId === undefined ? null : { createdAtMs: Number(createdAtMs), runId };
}
