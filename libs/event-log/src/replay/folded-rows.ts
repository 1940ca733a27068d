import type { RecordedEvent, StreamId } from '@delta-ci/contracts';
import { CHANGING_COLUMNS } from '../projections/changing-columns.ts';
import { appliedChange, type Row } from '../projections/change-set.ts';
import { project } from '../projections/project.ts';
import type { ProjectedEvent } from '../projections/projected-event.ts';
import type { RowChange } from '../projections/row-change.ts';
import type { ProjectionName } from '../projections/rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES, type ProjectionTable } from '../projections/tables.ts';

/** A row as the log makes it. */
export interface FoldedRow {
  readonly table: ProjectionName;
  readonly row: Row;
}

/** The rows that events of one stream made, by table and key. */
export type StreamRows = Map<string, FoldedRow>;

export type FoldableEvent = Pick<
  RecordedEvent,
  'id' | 'type' | 'data' | 'correlation' | 'time' | 'actor' | 'traceparent' | 'stream' | 'version'
>;

/**
 * Where folding puts rows: those of the event's stream, those that several streams write, and those that no event of
 * their own stream changes any more. Changes of rows that another stream's events put are `elsewhere`.
 */
export interface FoldTarget {
  readonly rows: StreamRows;
  readonly shared: StreamRows;
  readonly settled: FoldedRow[];
  readonly elsewhere: RowChange[];
}

/** Takes one more event into the rows of its stream. */
export function foldInto({ rows, shared, settled, elsewhere }: FoldTarget, event: FoldableEvent): void {
  for (const change of changesOf(event)) {
    const { table, kind, row } = change;
    if (kind === 'patch' && rulesOf(table).patchedBy !== undefined) elsewhere.push(change);
    else if (PUT_ONCE.has(table)) settled.push({ table, row });
    else applyTo(rulesOf(table).sharedByStreams === true ? shared : rows, change);
  }
}

type Rules = Pick<ProjectionTable<ProjectionName>, 'replaces' | 'sharedByStreams' | 'patchedBy'>;
const rulesOf = (name: ProjectionName): Rules => PROJECTION_TABLES[name];

/** Tables whose rows are made once, and stay as they are as far as their own stream goes. */
const PUT_ONCE: ReadonlySet<ProjectionName> = new Set(
  PROJECTION_NAMES.filter((name) => {
    const { replaces, patchedBy } = rulesOf(name);
    return replaces === undefined && (CHANGING_COLUMNS[name].length === 0 || patchedBy !== undefined);
  }),
);

/** The row changes of one event, in order. */
export const changesOf = (event: FoldableEvent): RowChange[] =>
  project({ ...event, atMs: Date.parse(event.time) } as ProjectedEvent);

/** Makes one change of rows; a patch of a row that is not there changes nothing. */
export function applyTo(rows: StreamRows, { table, kind, row }: RowChange): void {
  const key = keyOf({ table, row });
  const earlier = rows.get(key)?.row;
  const applied = appliedChange(table, earlier, kind, row);
  if (applied !== null && applied !== earlier) rows.set(key, { table, row: applied });
}

/** Table and key of a row, or of a change of it: what `StreamRows` has it under. */
export function keyOf({ table, row }: FoldedRow): string {
  const { key }: { readonly key: readonly string[] } = PROJECTION_TABLES[table];
  return [table, ...key.map((column) => String(row[column]))].join('\n');
}

/** Whether events of a stream make rows that later ones change. Other streams have no end, and rows that are made once. */
export function makesChangingRows(stream: StreamId): boolean {
  return stream.startsWith('run-') || stream.startsWith('runner-');
}

/**
 * The rows of the streams that are in use, as far as a log has been folded. Runs that are not over stay; everything else
 * leaves when it was not spoken of for longest, and comes back when it is spoken of again. So memory follows the work
 * under way and never the length of the log.
 */
export class RowsInUse {
  readonly #idle = new Map<StreamId, StreamRows>();
  readonly #live = new Map<StreamId, StreamRows>();
  readonly shared: StreamRows = new Map();
  #idleRows = 0;

  /** Rows of a stream; undefined when it never was here, or has left. */
  get(stream: StreamId): StreamRows | undefined {
    return this.#live.get(stream) ?? this.#idle.get(stream);
  }

  /** Puts a stream's rows in their place after they changed. */
  set(stream: StreamId, rows: StreamRows, rowsBefore: number): void {
    if (rows.size === 0) return;
    if (this.#idle.delete(stream)) this.#idleRows -= rowsBefore;
    if (isLiveRun(rows)) {
      this.#live.set(stream, rows);
      return;
    }
    this.#live.delete(stream);
    this.#idle.set(stream, rows);
    this.#idleRows += rows.size;
  }

  /** Lets streams go, longest unused first, until at most `rowsMax` rows are here besides those of live runs. */
  *leaving(rowsMax: number): Generator<FoldedRow> {
    for (const [stream, rows] of this.#idle) {
      if (this.#idleRows <= rowsMax) return;
      this.#idle.delete(stream);
      this.#idleRows -= rows.size;
      yield* rows.values();
    }
  }

  /** What is here still. */
  *remaining(): Generator<FoldedRow> {
    for (const rows of [...this.#idle.values(), ...this.#live.values(), this.shared]) yield* rows.values();
  }

  /** Rows of the runs that are not over. */
  *live(): Generator<FoldedRow> {
    for (const rows of this.#live.values()) yield* rows.values();
  }
}

/** The first row of a run's stream is the run's own. */
function isLiveRun(rows: StreamRows): boolean {
  const [first] = rows.values();
  return first?.table === 'run' && first.row['live'] === true;
}

/** All rows that a log leads to, for a log that fits into memory. */
export function foldWholeLog(events: Iterable<FoldableEvent>): FoldedRow[] {
  const rows: StreamRows = new Map();
  for (const event of events) for (const change of changesOf(event)) applyTo(rows, change);
  return [...rows.values()];
}
