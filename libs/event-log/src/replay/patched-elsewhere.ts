import { crc32 } from 'node:zlib';
import { runStream, type EventType, type RunId, type StreamId } from '@delta-ci/contracts';
import type pg from 'pg';
import { currentRecordOf } from '../append/draft-event.ts';
import type { RowChange } from '../projections/row-change.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES, type ProjectionTable } from '../projections/tables.ts';
import type { ProjectionName } from '../projections/rows.ts';
import { applyTo, changesOf, keyOf, type FoldableEvent, type FoldedRow, type StreamRows } from './folded-rows.ts';

/** A row as its run's own stream made it, and as it became by what another stream says. */
export interface PatchedRow {
  readonly before: FoldedRow;
  readonly after: FoldedRow;
}

/** A change, and where the log says it. */
interface Placed {
  readonly position: number;
  readonly change: RowChange;
}

const EVENTS_AT_ONCE = 100;
const RUNS_AT_ONCE = 50;

/** Streams whose events change rows that runs made. */
const PATCHING_STREAMS: readonly StreamId[] = PROJECTION_NAMES.flatMap((name) => {
  const { patchedBy }: Pick<ProjectionTable<ProjectionName>, 'patchedBy'> = PROJECTION_TABLES[name];
  return patchedBy === undefined ? [] : [patchedBy];
});

/** Events that put the rows those change. */
const PUTTING: readonly EventType[] = ['artifact.recorded', 'cache.saved'];

/**
 * All rows that events of another stream changed, some runs at a time. A row may be changed again however much later, so
 * this is for the end of a log: the changes are gathered by run, and the rows made again from the run's own stream. When
 * there are more than `patchesMax`, in as many passes over the streams that say them, each for some of the runs.
 * @param client in a snapshot of the log
 * @param patches how many there are
 */
export async function* rowsPatchedElsewhere(
  client: pg.ClientBase,
  patches: number,
  patchesMax: number,
): AsyncGenerator<PatchedRow[]> {
  const passes = Math.ceil(patches / patchesMax);
  for (let pass = 0; pass < passes; pass += 1) {
    const patchesOf = await gather(client, (runId) => crc32(runId) % passes === pass);
    const runIds = [...patchesOf.keys()];
    for (let from = 0; from < runIds.length; from += RUNS_AT_ONCE) {
      const some = runIds.slice(from, from + RUNS_AT_ONCE);
      const eventsOf = await readPutting(client, some);
      yield some.flatMap((runId) => patchedRows(eventsOf.get(runStream(runId)) ?? [], patchesOf.get(runId) ?? []));
    }
  }
}

async function gather(client: pg.ClientBase, isWanted: (runId: RunId) => boolean): Promise<Map<RunId, Placed[]>> {
  const patchesOf = new Map<RunId, Placed[]>();
  for (const stream of PATCHING_STREAMS) {
    for await (const event of eventsIn(client, stream)) {
      for (const change of changesOf(event)) {
        const runId = String((change.row as FoldedRow['row'])['run_id']);
        if (!isWanted(runId)) continue;
        const known = patchesOf.get(runId);
        const placed = { position: event.position, change };
        if (known === undefined) patchesOf.set(runId, [placed]);
        else known.push(placed);
      }
    }
  }
  return patchesOf;
}

type PlacedEvent = FoldableEvent & { readonly position: number };

async function* eventsIn(client: pg.ClientBase, stream: StreamId): AsyncGenerator<PlacedEvent> {
  for (let after = 0; ;) {
    const { rows } = await client.query<{ canonical: string }>(
      'SELECT canonical FROM event WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3',
      [stream, after, EVENTS_AT_ONCE],
    );
    for (const { canonical } of rows) yield currentRecordOf(canonical);
    if (rows.length < EVENTS_AT_ONCE) return;
    after += rows.length;
  }
}

async function readPutting(client: pg.ClientBase, runIds: readonly RunId[]): Promise<Map<StreamId, PlacedEvent[]>> {
  const { rows } = await client.query<{ canonical: string }>(
    'SELECT canonical FROM event WHERE stream = ANY($1) AND type = ANY($2) ORDER BY position',
    [runIds.map(runStream), PUTTING],
  );
  return Map.groupBy(
    rows.map(({ canonical }) => currentRecordOf(canonical)),
    ({ stream }) => stream,
  );
}

/** A patch counts for what was put before it; what is put again later is as it was put. */
function patchedRows(events: readonly PlacedEvent[], patches: readonly Placed[]): PatchedRow[] {
  const before = rowsAfter(putsOf(events));
  const after = rowsAfter([...putsOf(events), ...patches].sort((one, other) => one.position - other.position));
  const keys = new Set(patches.map(({ change }) => keyOf(change)));
  return [...keys].flatMap((key) => {
    const [was, became] = [before.get(key), after.get(key)];
    return was === undefined || became === undefined ? [] : [{ before: was, after: became }];
  });
}

/** Made anew by each call: rows are changed in place. */
const putsOf = (events: readonly PlacedEvent[]): Placed[] =>
  events.flatMap((event) => changesOf(event).map((change) => ({ position: event.position, change })));

function rowsAfter(changes: readonly Placed[]): StreamRows {
  const rows: StreamRows = new Map();
  for (const { change } of changes) applyTo(rows, change);
  return rows;
}
