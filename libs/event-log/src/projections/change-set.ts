import { LogBroken } from '../append/batch-failure.ts';
import type { RowChange } from './row-change.ts';
import type { ProjectionName } from './rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES } from './tables.ts';

export type Row = Readonly<Record<string, unknown>>;
type Pending = { kind: 'put' | 'patch'; row: Row };

/** What is left of a batch's changes of one table when changes of the same row are taken together. */
export interface TableChanges {
  readonly table: ProjectionName;
  readonly puts: readonly Row[];
  readonly patches: readonly Row[];
}

interface TableRules {
  readonly key: readonly string[];
  readonly forward?: { readonly column: string; readonly ranks: readonly string[][] };
  readonly replaces?: 'wholly' | 'partly';
  readonly newest?: string;
}

/** Takes changes in the order of their events and gives back one change for each row. */
export class ChangeSet {
  readonly #tables = new Map<ProjectionName, Map<string, Pending>>();

  add(change: RowChange): void {
    const rules: TableRules = PROJECTION_TABLES[change.table];
    const rows = this.#rowsOf(change.table);
    const row: Row = change.row;
    const key = rules.key.map((column) => String(row[column])).join('\n');
    const earlier = rows.get(key);
    rows.set(key, earlier === undefined ? { kind: change.kind, row } : merged(rules, earlier, change.kind, row));
  }

  /** Tables that changed, in the order in which they are written; rows by key, so that writers lock them in one order. */
  tables(): TableChanges[] {
    return PROJECTION_NAMES.filter((table) => this.#tables.has(table)).map((table) => {
      const pending = [...this.#rowsOf(table)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change);
      const rowsOf = (kind: Pending['kind']) => pending.filter((one) => one.kind === kind).map((one) => one.row);
      return { table, puts: rowsOf('put'), patches: rowsOf('patch') };
    });
  }

  #rowsOf(table: ProjectionName): Map<string, Pending> {
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const fresh = new Map<string, Pending>();
    this.#tables.set(table, fresh);
    return fresh;
  }
}

/** A row that its owner changes in place. */
export type OwnedRow = Record<string, unknown>;

/** A row of a table after a change, which the earlier one may become; null when there is none and the change makes none. */
export function appliedChange(
  table: ProjectionName,
  earlier: OwnedRow | undefined,
  kind: Pending['kind'],
  row: Row,
): OwnedRow | null {
  if (earlier === undefined) return kind === 'put' ? { ...row } : null;
  if (kind === 'patch') return patchedInPlace(PROJECTION_TABLES[table], earlier, row);
  return merged(PROJECTION_TABLES[table], { kind: 'put', row: earlier }, kind, row).row;
}

function merged(rules: TableRules, earlier: Pending, kind: Pending['kind'], row: Row): Pending {
  if (kind === 'patch') return { kind: earlier.kind, row: patched(rules, earlier.row, row) };
  if (rules.replaces === undefined) throw new LogBroken('a row was made twice');
  if (rules.replaces === 'partly') return { kind: 'put', row: patched(rules, earlier.row, row) };
  return { kind: 'put', row: isOlder(rules, row, earlier.row) ? earlier.row : row };
}

function isOlder({ newest }: TableRules, row: Row, than: Row): boolean {
  return newest !== undefined && Number(row[newest]) < Number(than[newest]);
}

const patched = (rules: TableRules, row: Row, patch: Row): OwnedRow => patchedInPlace(rules, { ...row }, patch);

function patchedInPlace({ forward }: TableRules, row: OwnedRow, patch: Row): OwnedRow {
  for (const [column, value] of Object.entries(patch)) {
    if (value === null) continue;
    if (column === forward?.column && !isForward(forward.ranks, row[column], value)) continue;
    row[column] = value;
  }
  return row;
}

function isForward(ranks: readonly string[][], from: unknown, to: unknown): boolean {
  const rankOf = (state: unknown) => ranks.findIndex((states) => states.some((name) => name === state));
  return rankOf(to) > rankOf(from);
}
