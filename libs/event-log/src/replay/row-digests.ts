import type pg from 'pg';
import { jsonRows } from '../projections/json-rows.ts';
import type { ProjectionName } from '../projections/rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES, type ColumnType } from '../projections/tables.ts';
import type { FoldedRow } from './folded-rows.ts';

/** Two 64-bit hashes of every row, summed: the order of rows does not matter, and a row can be taken out again. */
export interface TableDigest {
  readonly rows: number;
  readonly first: bigint;
  readonly second: bigint;
}

export const NO_ROWS: TableDigest = { rows: 0, first: 0n, second: 0n };

/** Rows hashed by one statement: fewer than the first wait for more, more than the second go in several. */
const ROWS_AT_ONCE = 500;
const ROWS_MAX = 2_000;
/** Statements under way: the server hashes while the next rows are folded. */
const UNDER_WAY_MAX = 2;

interface SumsRow {
  readonly rows: number;
  readonly first: string;
  readonly second: string;
}

/**
 * Digests of folded rows, by table. The server makes them, with its own idea of what a row hashes to, because it also makes those
 * of the live tables; nothing is written for that.
 */
export class RowDigests {
  readonly #client: pg.ClientBase;
  readonly #digests = new Map<ProjectionName, TableDigest>();
  readonly #waiting = { [1]: new Map<ProjectionName, Row[]>(), [-1]: new Map<ProjectionName, Row[]>() };
  readonly #underWay = new Set<Promise<void>>();

  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /** Counts a row, or with -1 takes it out, when it is next sent. */
  add({ table, row }: FoldedRow, sign: 1 | -1 = 1): void {
    const waiting = this.#waiting[sign];
    const rows = waiting.get(table);
    if (rows === undefined) waiting.set(table, [row]);
    else rows.push(row);
  }

  /** Sends what is worth a statement, and waits when the server is behind. */
  async send(atLeast: number = ROWS_AT_ONCE): Promise<void> {
    for (const sign of [1, -1] as const) {
      for (const [table, rows] of this.#waiting[sign]) {
        if (rows.length < atLeast) continue;
        this.#waiting[sign].delete(table);
        for (let from = 0; from < rows.length; from += ROWS_MAX) {
          await this.#sendRows(table, sign, rows.slice(from, from + ROWS_MAX));
        }
      }
    }
  }

  /** All digests, when everything is counted. */
  async finish(): Promise<ReadonlyMap<ProjectionName, TableDigest>> {
    await this.send(1);
    await Promise.all(this.#underWay);
    return new Map(PROJECTION_NAMES.map((table) => [table, this.#digests.get(table) ?? NO_ROWS]));
  }

  async #sendRows(table: ProjectionName, sign: 1 | -1, rows: Row[]): Promise<void> {
    while (this.#underWay.size >= UNDER_WAY_MAX) await Promise.race(this.#underWay);
    const sent = this.#count(table, sign, rows).finally(() => this.#underWay.delete(sent));
    // Heard by whoever waits next; until then it must not end the process.
    sent.catch(() => undefined);
    this.#underWay.add(sent);
  }

  async #count(table: ProjectionName, sign: 1 | -1, rows: Row[]): Promise<void> {
    const query = { name: `digest-${table}`, text: FOLDED[table], values: [jsonRows(rows)] };
    const sums = sumsOf((await this.#client.query<SumsRow>(query)).rows);
    const before = this.#digests.get(table) ?? NO_ROWS;
    this.#digests.set(table, {
      rows: before.rows + sign * sums.rows,
      first: before.first + BigInt(sign) * sums.first,
      second: before.second + BigInt(sign) * sums.second,
    });
  }
}

type Row = Readonly<Record<string, unknown>>;

/** The digest of a live table. */
export async function liveDigest(client: pg.ClientBase, table: ProjectionName): Promise<TableDigest> {
  return sumsOf((await client.query<SumsRow>(LIVE[table])).rows);
}

export function sameDigest(one: TableDigest, other: TableDigest): boolean {
  return one.rows === other.rows && one.first === other.first && one.second === other.second;
}

function sumsOf([sums]: readonly SumsRow[]): TableDigest {
  return sums === undefined ? NO_ROWS : { rows: sums.rows, first: BigInt(sums.first), second: BigInt(sums.second) };
}

const LIVE = textsFor((table) => `public.${table} AS t`);
const FOLDED = textsFor((_table, columns) => {
  const typed = Object.entries(columns).map(([column, type]) => `${column} ${type}`);
  return `json_to_recordset($1::json) AS t (${typed.join(', ')})`;
});

/**
 * Columns by name: a column's place may differ between our list and a table that was migrated. The hash is that of the
 * columns' values, which is several times faster than writing them as text.
 */
function textsFor(
  source: (table: ProjectionName, columns: Readonly<Record<string, ColumnType>>) => string,
): Readonly<Record<ProjectionName, string>> {
  const texts = PROJECTION_NAMES.map((table) => {
    const { columns } = PROJECTION_TABLES[table];
    const names = Object.keys(columns).map((column) => `t.${column}`);
    const sum = (seed: number): string =>
      `coalesce(sum(hash_record_extended(ROW(${names.join(', ')}), ${seed})), 0)::text`;
    return [
      table,
      `SELECT count(*)::integer AS rows, ${sum(1)} AS first, ${sum(2)} AS second FROM ${source(table, columns)}`,
    ];
  });
  return Object.fromEntries(texts) as Record<ProjectionName, string>;
}
