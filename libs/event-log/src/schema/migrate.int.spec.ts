import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from '../../../../test/support/infra/index.ts';
import { openLog } from '../connection.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES } from '../projections/tables.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import { provisionRoles } from './provision-roles.ts';

const passwords = { orchestrator: 'not-a-secret-1', reader: `not-'a'-\\secret-2` };

describe('migrating', () => {
  let database: FreshDatabase;
  beforeEach(async () => {
    database = await freshDatabase();
  });
  afterEach(() => database.drop());

  it('may be done by several processes at once, and again', async () => {
    const { adminUrl } = database;
    const applied = await Promise.all([1, 2, 3].map(() => migrate({ adminUrl })));
    const urls = await Promise.all([1, 2, 3].map(() => provisionRoles({ adminUrl, passwords })));

    expect(applied.flat()).toHaveLength(MIGRATIONS.length);
    expect(await migrate({ adminUrl })).toEqual([]);
    expect(urls[1]).toEqual(urls[0]);
    for (const databaseUrl of Object.values(await provisionRoles({ adminUrl, passwords }))) {
      const log = await openLog({ databaseUrl, applicationName: 'test' });
      expect((await log.pool.query('SELECT position FROM log_head')).rows).toEqual([{ position: 0 }]);
      await log.close();
    }
  });

  it('gives every table that the projections write the columns they name', async () => {
    await migrate({ adminUrl: database.adminUrl });
    const client = new pg.Client({ connectionString: database.adminUrl });
    await client.connect();
    const { rows } = await client.query<{ table: string; columns: Record<string, string> }>(
      `SELECT table_name AS table, json_object_agg(column_name, data_type) AS columns
       FROM information_schema.columns WHERE table_name = ANY($1) GROUP BY 1`,
      [PROJECTION_NAMES],
    );
    await client.end();

    const found = Object.fromEntries(rows.map((row) => [row.table, row.columns]));
    const named = Object.fromEntries(PROJECTION_NAMES.map((name) => [name, PROJECTION_TABLES[name].columns]));
    expect(found).toEqual(named);
  });
});
