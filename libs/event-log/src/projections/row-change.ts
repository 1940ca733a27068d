import type { ChangingColumn } from './changing-columns.ts';
import type { ProjectionName, ProjectionRows } from './rows.ts';

/**
 * One change of one row. `put` brings a whole row (or replaces one with the same key); `patch` sets the columns it
 * names where the row is there already, and does nothing otherwise. A null in a patch means "as it was".
 */
export type RowChange = { [N in ProjectionName]: Put<N> | Patch<N> }[ProjectionName];

interface Put<N extends ProjectionName> {
  readonly table: N;
  readonly kind: 'put';
  readonly row: ProjectionRows[N];
}

interface Patch<N extends ProjectionName> {
  readonly table: N;
  readonly kind: 'patch';
  readonly row: Partial<ProjectionRows[N]>;
}

export function put<N extends ProjectionName>(table: N, row: ProjectionRows[N]): Put<N> {
  return { table, kind: 'put', row };
}

/** `key` must hold the table's key columns: the compiler cannot tell them from the others. */
export function patch<N extends ProjectionName, K extends keyof ProjectionRows[N]>(
  table: N,
  key: Pick<ProjectionRows[N], K>,
  set: Partial<Pick<ProjectionRows[N], ChangingColumn<N>>>,
): Patch<N> {
  return { table, kind: 'patch', row: { ...key, ...set } as Partial<ProjectionRows[N]> };
}
