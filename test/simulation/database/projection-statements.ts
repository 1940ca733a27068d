import { keyOf, type Row, type Transaction } from './rows.ts';
import { StatementError, text, type Statement } from './statement.ts';

/** A projection table as the product describes it. */
export interface DescribedTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, string>>;
  readonly changing: readonly string[];
  readonly forward?: { readonly column: string; readonly ranks: readonly (readonly string[])[] };
  readonly replaces?: 'wholly' | 'partly';
  readonly newest?: string;
}

/** What the tables themselves refuse besides a second row with the same key. */
export interface UniqueRule {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Of live rows alone. */
  readonly live: boolean;
}

const LIVE_INDEX = /^CREATE UNIQUE INDEX (\w+) ON (\w+) \(([^)]+)\) WHERE live/;
const TABLE = /^CREATE TABLE (\w+)/;
const CONSTRAINT = /(\w+) \w+ NOT NULL CONSTRAINT (\w+) UNIQUE/g;

/** The unique rules that the migrations make. */
export function uniqueRulesIn(schema: readonly string[]): UniqueRule[] {
  return schema.flatMap((statement): UniqueRule[] => {
    const [, index, indexed, columns] = LIVE_INDEX.exec(statement) ?? [];
    if (index !== undefined && indexed !== undefined && columns !== undefined) {
      return [{ name: index, table: indexed, columns: columns.split(', '), live: true }];
    }
    const [, table] = TABLE.exec(statement) ?? [];
    if (table === undefined) return [];
    return [...statement.matchAll(CONSTRAINT)].map(([, column = '', name = '']) => {
      return { name, table, columns: [column], live: false };
    });
  });
}

/** `put-<table>` and `patch-<table>` for every projection table. */
export function projectionStatements(
  tables: readonly DescribedTable[],
  rules: readonly UniqueRule[],
): Readonly<Record<string, Statement>> {
  const rulesOf = (name: string) => rules.filter(({ table }) => table === name);
  return Object.fromEntries(
    tables.flatMap((table) => [
      [`put-${table.name}`, putStatement(table, rulesOf(table.name))],
      [`patch-${table.name}`, patchStatement(table)],
    ]),
  );
}

const recordsOf = (json: unknown, columns: readonly string[]): Row[] =>
  (JSON.parse(text(json)) as Row[]).map((row) =>
    Object.fromEntries(columns.map((column) => [column, row[column] ?? null])),
  );

function putStatement(table: DescribedTable, rules: readonly UniqueRule[]): Statement {
  const columns = Object.keys(table.columns);
  return ({ transaction, lock }, [json]) => {
    for (const row of recordsOf(json, columns)) {
      const key = keyOf(row, table.key);
      lock(`${table.name} ${key}`);
      for (const rule of rules) assertUnique(transaction, rule, row, lock);
      const there = transaction.get(table.name, key);
      transaction.set(table.name, key, there === undefined ? row : replaced(table, there, row));
    }
    return [];
  };
}

function replaced({ name, replaces, newest }: DescribedTable, there: Row, row: Row): Row {
  if (replaces === undefined) throw new StatementError('23505', `the row is in ${name} already`);
  if (newest !== undefined && Number(row[newest]) < Number(there[newest])) return there;
  if (replaces === 'wholly') return row;
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value ?? there[column] ?? null]));
}

function assertUnique(transaction: Transaction, rule: UniqueRule, row: Row, lock: (key: string) => void): void {
  const { name, table, columns, live } = rule;
  if (live && row['live'] !== true) return;
  const ruled = keyOf(row, columns);
  lock(`${name} ${ruled}`);
  const counts = (other: Row) => (!live || other['live'] === true) && keyOf(other, columns) === ruled;
  if (transaction.rows(table).some(counts)) {
    throw new StatementError('23505', `duplicate key value violates unique constraint "${name}"`, name);
  }
}

function patchStatement(table: DescribedTable): Statement {
  const columns = [...table.key, ...table.changing];
  return ({ transaction, lock }, [json]) => {
    for (const patch of recordsOf(json, columns)) {
      const key = keyOf(patch, table.key);
      if (transaction.get(table.name, key) === undefined) continue;
      lock(`${table.name} ${key}`);
      const there = transaction.get(table.name, key);
      if (there !== undefined) transaction.set(table.name, key, patched(table, there, patch));
    }
    return [];
  };
}

function patched({ forward, changing }: DescribedTable, there: Row, patch: Row): Row {
  const result: Record<string, unknown> = { ...there };
  for (const column of changing) {
    const value = patch[column] ?? null;
    if (value === null) continue;
    if (column === forward?.column && rankOf(forward.ranks, value) <= rankOf(forward.ranks, there[column])) continue;
    result[column] = value;
  }
  return result;
}

const rankOf = (ranks: readonly (readonly string[])[], state: unknown): number =>
  ranks.findIndex((states) => states.some((name) => name === state));
