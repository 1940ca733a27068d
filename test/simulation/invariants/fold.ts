import type { DescribedTable } from '../database/projection-statements.ts';
import { keyOf, type Committed, type Row, type Transaction } from '../database/rows.ts';
import type { Product, RowChange } from '../world/product.ts';
import type { EventRecord } from './record.ts';
import type { Tally } from './tally.ts';

/**
 * 4 and 5: the tables are what folding the log gives. A second set of tables is folded event by event, never in batches,
 * and held against the live ones after every commit, row by row for what changed, and wholly at the end.
 */
export class Fold {
  readonly #tally: Tally;
  readonly #product: Product;
  readonly #committed: Committed;
  readonly #described: ReadonlyMap<string, DescribedTable>;
  readonly #folded = new Map<string, Map<string, Row>>();

  constructor(tally: Tally, product: Product, committed: Committed) {
    this.#tally = tally;
    this.#product = product;
    this.#committed = committed;
    this.#described = new Map(product.tables.map((table) => [table.name, table]));
    for (const { name } of product.tables) this.#folded.set(name, new Map());
  }

  take(record: EventRecord): void {
    const event = { ...record, atMs: Date.parse(record.time) };
    for (const change of this.#product.project(event)) this.#apply(change);
  }

  /** After the events of a commit were taken. */
  committed({ changes, head }: Transaction): void {
    for (const [table, rows] of changes) {
      if (!this.#described.has(table)) continue;
      this.#tally.check('5 tables move with the head', head !== null, () => `${table} changed and the log did not`);
      for (const key of rows.keys()) this.#compare(table, key);
    }
  }

  /** Every row of every table. */
  compareAll(): void {
    for (const table of this.#described.keys()) {
      const keys = new Set([...this.#committed.table(table).keys(), ...(this.#folded.get(table)?.keys() ?? [])]);
      for (const key of keys) this.#compare(table, key);
    }
  }

  #compare(table: string, key: string): void {
    const live = this.#committed.table(table).get(key);
    const folded = this.#folded.get(table)?.get(key);
    const equal = sameRow(live, folded);
    const differing = () => `${table} ${key}: live ${shortly(live)}, folded ${shortly(folded)}`;
    this.#tally.check('4 tables are the fold of the log', equal, differing);
  }

  #apply({ table, kind, row }: RowChange): void {
    const described = this.#described.get(table);
    const rows = this.#folded.get(table);
    if (described === undefined || rows === undefined) throw new Error(`no projection table is called ${table}`);
    const key = keyOf(row, described.key);
    const there = rows.get(key);
    if (kind === 'put') rows.set(key, put(described, there, row));
    else if (there !== undefined) rows.set(key, patch(described, there, row));
  }
}

function put({ columns, replaces, newest }: DescribedTable, there: Row | undefined, row: Row): Row {
  const whole = Object.fromEntries(Object.keys(columns).map((column) => [column, row[column] ?? null]));
  if (there === undefined) return whole;
  if (newest !== undefined && Number(whole[newest]) < Number(there[newest])) return there;
  if (replaces !== 'partly') return whole;
  return Object.fromEntries(Object.keys(columns).map((column) => [column, whole[column] ?? there[column] ?? null]));
}

function patch({ forward, key }: DescribedTable, there: Row, row: Row): Row {
  const result: Record<string, unknown> = { ...there };
  for (const [column, value] of Object.entries(row)) {
    if (key.includes(column) || value === null || value === undefined) continue;
    const rank = (state: unknown) => forward?.ranks.findIndex((states) => states.some((name) => name === state)) ?? 0;
    if (column === forward?.column && rank(value) <= rank(there[column])) continue;
    result[column] = value;
  }
  return result;
}

function sameRow(one: Row | undefined, other: Row | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const columns = Object.keys(other);
  return columns.length === Object.keys(one).length && columns.every((column) => sameValue(one[column], other[column]));
}

const sameValue = (one: unknown, other: unknown): boolean =>
  one === other || (typeof one === 'object' && ordered(one) === ordered(other));

/** JSON without regard to the order of members, as `jsonb` has it. */
function ordered(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

const shortly = (row: Row | undefined): string => (row === undefined ? 'nothing' : JSON.stringify(row).slice(0, 600));
