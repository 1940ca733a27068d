import { hash } from 'node:crypto';
import type { Digest } from '@delta-ci/contracts';
import { UNFINISHED_COLUMNS } from '../checkpoints/unfinished-columns.ts';
import type { Row } from '../projections/change-set.ts';
import type { ProjectionName } from '../projections/rows.ts';
import type { FoldedRow } from './folded-rows.ts';

/** The digest of `digestUnfinishedWork`, of rows that were folded in memory. */
export function digestOfUnfinished(liveRuns: Iterable<FoldedRow>): Digest {
  const lines: Buffer[] = [];
  for (const { table, row } of liveRuns) {
    if (table === 'lease' && row['live'] !== true) continue;
    const columns = COLUMNS[table];
    if (columns !== undefined) lines.push(Buffer.from(lineOf(table, row, columns)));
  }
  lines.sort((one, other) => Buffer.compare(one, other));
  return `sha256:${hash('sha256', Buffer.concat(lines.flatMap((line, at) => (at === 0 ? [line] : [LINE_FEED, line]))))}`;
}

const LINE_FEED = Buffer.from('\n');

/** By the name of any table: most have no line. */
const COLUMNS: Readonly<Partial<Record<ProjectionName, readonly string[]>>> = UNFINISHED_COLUMNS;

function lineOf(table: ProjectionName, row: Row, columns: readonly string[]): string {
  return `${table} ${columns.map((column) => wordOf(row[column])).join(' ')}`;
}

/** The columns that are looked at hold text and whole numbers alone. */
function wordOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '-';
}
