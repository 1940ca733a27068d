import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolClient } from 'pg';
import { CHANGING_COLUMNS } from '../projections/changing-columns.ts';
import { TABLE_STATEMENTS } from '../projections/table-statements.ts';
import { PROJECTION_NAMES } from '../projections/tables.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { BEGIN, type Statement } from './batch-client.ts';
import * as statements from './batch-statements.ts';
import { RENEWAL_STATEMENTS } from './lease-renewal-rows.ts';

const isStatement = (value: unknown): value is Statement => typeof value === 'object' && value !== null;

/** The head is a table of one row, which has no other plan. */
const OF_MANY_ROWS = Object.values(statements)
  .filter(isStatement)
  .filter(({ name }) => name !== statements.CLOCK_AND_HEAD.name);

const CHANGES = PROJECTION_NAMES.flatMap((table): Statement[] => [
  { name: `put-${table}`, text: TABLE_STATEMENTS[table].put },
  ...(CHANGING_COLUMNS[table].length === 0 ? [] : [{ name: `patch-${table}`, text: TABLE_STATEMENTS[table].patch }]),
]);

describe('plans that are kept for as long as a connection lasts', () => {
  let log: FreshLog;
  let connection: PoolClient;
  beforeAll(async () => {
    log = await freshLog();
    connection = await log.admin.connect();
    await connection.query(BEGIN);
  });
  afterAll(async () => {
    await connection.query('ROLLBACK');
    connection.release();
    await log.drop();
  });

  it.each([...OF_MANY_ROWS, ...RENEWAL_STATEMENTS, ...CHANGES])(
    'given empty tables, then $name is planned to find its rows by key',
    async (statement) => {
      const lines = await keptPlanOf(connection, statement);
      const scans = lines.map((line, at) => ({ line: line.trim(), below: lines[at + 1] ?? '' })).filter(readsATable);
      expect(scans.filter(({ below }) => !below.includes('Index Cond:'))).toEqual([]);
    },
  );
});

const readsATable = ({ line }: { line: string }): boolean => /(?:Seq|Index|Index Only) Scan/.test(line);

/** As the server keeps it: made without looking at the values. */
async function keptPlanOf(connection: PoolClient, { name, text }: Statement): Promise<string[]> {
  await connection.query(`PREPARE "${name}" AS ${text}`);
  const parameters = new Set(text.match(/\$\d+/g)).size;
  const values = parameters === 0 ? '' : `(${Array.from({ length: parameters }, () => 'NULL').join(', ')})`;
  const { rows } = await connection.query<{ 'QUERY PLAN': string }>(`EXPLAIN (COSTS OFF) EXECUTE "${name}"${values}`);
  return rows.map((row) => row['QUERY PLAN']);
}
