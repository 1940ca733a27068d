import type { BatchClient } from '../append/batch-client.ts';
import type { ChangeSet } from './change-set.ts';
import { jsonRows } from './json-rows.ts';
import { TABLE_STATEMENTS } from './table-statements.ts';
import { PROJECTION_TABLES, type ProjectionTable } from './tables.ts';
import type { ProjectionName } from './rows.ts';

/** Rows that several streams write wait until the head is locked; all others are behind their stream's lock. */
export type WhenToSend = 'before-head' | 'under-head';

/**
 * Sends a batch's row changes: at most two statements for each table. No row is in both, and changed rows go before new
 * ones: a lease that ends makes room for the next one of its runner.
 */
export function sendChanges(client: BatchClient, changes: ChangeSet, when: WhenToSend): Promise<unknown>[] {
  return changes
    .tables()
    .filter(({ table }) => isShared(table) === (when === 'under-head'))
    .flatMap(({ table, puts, patches }) => [
      ...send(client, `patch-${table}`, TABLE_STATEMENTS[table].patch, patches),
      ...send(client, `put-${table}`, TABLE_STATEMENTS[table].put, puts),
    ]);
}

function isShared(name: ProjectionName): boolean {
  const table: Pick<ProjectionTable<ProjectionName>, 'sharedByStreams'> = PROJECTION_TABLES[name];
  return table.sharedByStreams === true;
}

const send = (client: BatchClient, name: string, text: string, rows: readonly object[]): Promise<unknown>[] =>
  rows.length === 0 ? [] : [client.run({ name, text }, [jsonRows(rows)])];
