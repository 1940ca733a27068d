import type { RecordedEvent } from '@delta-ci/contracts';
import pg from 'pg';
import { batchClient, type BatchClient } from '../append/batch-client.ts';
import { recordedEventOf } from '../append/draft-event.ts';
import { surviveBrokenConnections } from '../connection.ts';
import { ChangeSet } from '../projections/change-set.ts';
import { project } from '../projections/project.ts';
import type { ProjectedEvent } from '../projections/projected-event.ts';
import { sendChanges } from '../projections/send-changes.ts';
import type { ProjectionName } from '../projections/rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES } from '../projections/tables.ts';

export interface RebuildOptions {
  readonly databaseUrl: string;
  /** Told how far the folding has come. */
  readonly onProgress?: (position: number) => void;
}

export interface RebuiltProjections {
  /** The head at which both were compared. */
  readonly position: number;
  readonly equal: boolean;
  readonly tables: readonly TableComparison[];
}

export interface TableComparison {
  readonly table: ProjectionName;
  readonly rows: { readonly live: number; readonly rebuilt: number };
  readonly equal: boolean;
  /** Keys of some rows that differ, when any do. */
  readonly differing: readonly string[];
}

/** Events folded into one set of changes: bounds memory, and makes statements of a size the writer's have too. */
const PAGE = 2_000;
const DIFFERING_SHOWN = 5;

/**
 * Folds the whole log into empty tables of the same shape and compares them with the live ones, at one moment, without
 * touching them. The scratch tables are temporary: they stand before the live ones on the search path, so the very
 * statements of the writer fill them, and they go when the transaction ends.
 */
export async function rebuildProjections({ databaseUrl, onProgress }: RebuildOptions): Promise<RebuiltProjections> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'delta-rebuild',
    max: 1,
    pipeline: true,
  });
  surviveBrokenConnections(pool);
  const connection = await pool.connect();
  try {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE');
    await connection.query('SET LOCAL statement_timeout = 0');
    for (const table of PROJECTION_NAMES) {
      await connection.query(`CREATE TEMPORARY TABLE ${table} (LIKE public.${table} INCLUDING ALL) ON COMMIT DROP`);
    }
    const position = await foldAll(connection, onProgress);
    const tables: TableComparison[] = [];
    for (const table of PROJECTION_NAMES) tables.push(await compare(connection, table));
    return { position, equal: tables.every((table) => table.equal), tables };
  } finally {
    connection.release(true);
    await pool.end();
  }
}

async function foldAll(connection: pg.PoolClient, onProgress?: (position: number) => void): Promise<number> {
  const client = batchClient(connection, false);
  for (let position = 0; ;) {
    const { rows } = await connection.query<Parameters<typeof recordedEventOf>[0]>(
      'SELECT canonical, prev_hash, hash FROM event WHERE position > $1 ORDER BY position LIMIT $2',
      [position, PAGE],
    );
    const events = rows.map(recordedEventOf);
    await applyPage(client, events);
    position = events.at(-1)?.position ?? position;
    if (events.length < PAGE) return position;
    onProgress?.(position);
  }
}

async function applyPage(client: BatchClient, events: readonly RecordedEvent[]): Promise<void> {
  const changes = new ChangeSet();
  for (const event of events) for (const change of project(projectedOf(event))) changes.add(change);
  await Promise.all([...sendChanges(client, changes, 'before-head'), ...sendChanges(client, changes, 'under-head')]);
}

const projectedOf = (event: RecordedEvent): ProjectedEvent => ({ ...event, atMs: Date.parse(event.time) });

interface Digest {
  readonly rows: number;
  readonly digest: string;
}

/** Two 64-bit hashes of every row, summed: the order of rows does not matter and memory stays flat. */
const digestText = (table: string): string => `
  SELECT count(*)::integer AS rows,
    concat(sum(hashtextextended(t::text, 1)), ' ', sum(hashtextextended(t::text, 2))) AS digest
  FROM ${table} AS t`;

async function compare(connection: pg.PoolClient, table: ProjectionName): Promise<TableComparison> {
  const live = await digestOf(connection, `public.${table}`);
  const rebuilt = await digestOf(connection, `pg_temp.${table}`);
  const equal = live.rows === rebuilt.rows && live.digest === rebuilt.digest;
  const differing = equal ? [] : await differingKeys(connection, table);
  return { table, rows: { live: live.rows, rebuilt: rebuilt.rows }, equal, differing };
}

async function digestOf(connection: pg.PoolClient, table: string): Promise<Digest> {
  const { rows } = await connection.query<Digest>(digestText(table));
  return rows[0] ?? { rows: 0, digest: '' };
}

async function differingKeys(connection: pg.PoolClient, table: ProjectionName): Promise<string[]> {
  const key = PROJECTION_TABLES[table].key.map((column) => `${column}::text`).join(', ');
  const { rows } = await connection.query<{ key: string }>(
    `SELECT DISTINCT concat_ws(' ', ${key}) AS key FROM (
       (SELECT * FROM public.${table} EXCEPT ALL SELECT * FROM pg_temp.${table}) UNION ALL
       (SELECT * FROM pg_temp.${table} EXCEPT ALL SELECT * FROM public.${table})
     ) AS differing LIMIT ${DIFFERING_SHOWN}`,
  );
  return rows.map((row) => row.key);
}
