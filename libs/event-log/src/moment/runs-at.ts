import { runStream, type RunId, type StreamId } from '@delta-ci/contracts';
import { currentRecordOf } from '../append/draft-event.ts';
import type { LogConnection } from '../connection.ts';
import type { ProjectionName, ProjectionRows } from '../projections/rows.ts';
import { foldInto, type FoldedRow, type StreamRows } from '../replay/folded-rows.ts';
import type { FoundMoment } from './find-moment.ts';

/** The rows of one run as they were. */
export class RunRowsAt {
  readonly #rows: readonly FoldedRow[];

  constructor(rows: Iterable<FoldedRow>) {
    this.#rows = [...rows];
  }

  get run(): ProjectionRows['run'] | undefined {
    return this.of('run')[0];
  }

  of<N extends ProjectionName>(name: N): ProjectionRows[N][] {
    return this.#rows.filter(({ table }) => table === name).map(({ row }) => row as ProjectionRows[N]);
  }
}

/** No run is under way for longer: its time limit, or that of its planning, ended it. */
const RUN_LIFE_MAX_MS = 7 * 24 * 3_600_000;

/** Where a page of runs ended. */
export interface RunCursor {
  readonly createdAtMs: number;
  readonly runId: RunId;
}

/**
 * Ids of runs that may have been under way at a moment, oldest first: created before it, within the longest life of a
 * run, and not known to have ended before. Found by the index over when runs were created.
 */
export async function whichRunsWereLive(
  { pool }: LogConnection,
  { atMs }: FoundMoment,
  after: RunCursor | null,
  limit: number,
): Promise<RunCursor[]> {
  if (atMs === null) return [];
  const { rows } = await pool.query<RunCursor>(
    `SELECT run_id AS "runId", created_at_ms AS "createdAtMs" FROM run
     WHERE created_at_ms BETWEEN $1 AND $2 AND (finished_at_ms IS NULL OR finished_at_ms >= $2)
       AND (created_at_ms, run_id) > ($3, $4)
     ORDER BY created_at_ms, run_id LIMIT $5`,
    [atMs - RUN_LIFE_MAX_MS, atMs, after?.createdAtMs ?? 0, after?.runId ?? '', limit],
  );
  return rows;
}

/** Folds the streams of some runs up to a position: their rows as they stood. A run that did not exist yet has none. */
export async function foldRunsUpTo(
  { pool }: LogConnection,
  runIds: readonly RunId[],
  position: number,
): Promise<Map<RunId, RunRowsAt>> {
  const { rows } = await pool.query<{ stream: StreamId; canonical: string }>(
    'SELECT stream, canonical FROM event WHERE stream = ANY($1) AND position <= $2 ORDER BY stream, version',
    [runIds.map(runStream), position],
  );
  const streams = new Map<StreamId, StreamRows>();
  const elsewhere = { shared: new Map<string, FoldedRow>(), settled: [], elsewhere: [] };
  for (const { stream, canonical } of rows) {
    const folded = streams.get(stream) ?? new Map<string, FoldedRow>();
    streams.set(stream, folded);
    foldInto({ rows: folded, ...elsewhere }, currentRecordOf(canonical));
  }
  const folded = runIds.map((runId) => [runId, streams.get(runStream(runId))] as const);
  return new Map(
    folded.flatMap(([runId, found]) => (found === undefined ? [] : [[runId, new RunRowsAt(found.values())]])),
  );
}
