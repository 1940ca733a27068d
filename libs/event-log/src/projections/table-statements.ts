import { CHANGING_COLUMNS } from './changing-columns.ts';
import type { ProjectionName } from './rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES, type ColumnType } from './tables.ts';

/** The statements of a table. Each takes all its rows as one JSON array: one statement text for any batch. */
export interface TableStatements {
  readonly put: string;
  /** Not to be sent for a table of which nothing is patched. */
  readonly patch: string;
}

interface Shape {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly changing: readonly string[];
  readonly forward?: { readonly column: string; readonly ranks: readonly string[][] };
  readonly replaces?: 'wholly' | 'partly';
  readonly newest?: string;
}

export const TABLE_STATEMENTS: Readonly<Record<ProjectionName, TableStatements>> = buildAll();

function buildAll(): Record<ProjectionName, TableStatements> {
  const built = PROJECTION_NAMES.map((name) => {
    const shape: Shape = { ...PROJECTION_TABLES[name], changing: CHANGING_COLUMNS[name] };
    return [name, { put: putStatement(shape), patch: patchStatement(shape) }] as const;
  });
  return Object.fromEntries(built) as Record<ProjectionName, TableStatements>;
}

/** `$1` as rows. Table and column names are our own constants, never input. */
function recordsOf(shape: Shape, names: readonly string[]): string {
  const columns = names.map((column) => `${column} ${shape.columns[column]}`);
  return `json_to_recordset($1::json) AS r (${columns.join(', ')})`;
}

function putStatement(shape: Shape): string {
  const names = Object.keys(shape.columns);
  const columns = names.join(', ');
  const records = recordsOf(shape, names);
  return `INSERT INTO ${shape.name} AS t (${columns}) SELECT ${columns} FROM ${records}${onConflict(shape)}`;
}

function onConflict(shape: Shape): string {
  if (shape.replaces === undefined) return '';
  const values = Object.keys(shape.columns).filter((column) => !shape.key.includes(column));
  const sets = values.map((column) =>
    shape.replaces === 'wholly'
      ? `${column} = excluded.${column}`
      : `${column} = coalesce(excluded.${column}, t.${column})`,
  );
  const guard = shape.newest === undefined ? '' : ` WHERE excluded.${shape.newest} >= t.${shape.newest}`;
  return ` ON CONFLICT (${shape.key.join(', ')}) DO UPDATE SET ${sets.join(', ')}${guard}`;
}

function patchStatement(shape: Shape): string {
  const sets = shape.changing.map((column) =>
    column === shape.forward?.column
      ? `${column} = CASE WHEN ${rank(shape.forward, 'r')} > ${rank(shape.forward, 't')} THEN r.${column} ELSE t.${column} END`
      : `${column} = coalesce(r.${column}, t.${column})`,
  );
  const records = recordsOf(shape, [...shape.key, ...shape.changing]);
  const match = shape.key.map((column) => `t.${column} = r.${column}`).join(' AND ');
  return `UPDATE ${shape.name} AS t SET ${sets.join(', ')} FROM ${records} WHERE ${match}`;
}

function rank(forward: NonNullable<Shape['forward']>, alias: string): string {
  const cases = forward.ranks.flatMap((states, index) => states.map((state) => `WHEN '${state}' THEN ${index}`));
  return `CASE ${alias}.${forward.column} ${cases.join(' ')} END`;
}
