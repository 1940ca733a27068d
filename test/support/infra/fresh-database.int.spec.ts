import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { freshDatabase, type FreshDatabase } from './index.ts';

async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('a fresh database', () => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  it('is empty, in UTF-8, and its owner is no superuser', async () => {
    expect(
      await ask(database.url, `SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'`),
    ).toEqual([{ tables: 0 }]);
    expect(
      await ask(
        database.url,
        `SELECT current_setting('server_encoding') AS encoding, current_setting('is_superuser') AS su`,
      ),
    ).toEqual([{ encoding: 'UTF8', su: 'off' }]);
  });

  it('lets its owner create tables and its superuser end sessions', async () => {
    await ask(database.url, 'CREATE TABLE seen (n int)');
    expect(await ask(database.adminUrl, `SELECT current_setting('is_superuser') AS su`)).toEqual([{ su: 'on' }]);
    const held = new pg.Client({ connectionString: database.url });
    const broken = new Promise<Error>((resolve) => held.on('error', resolve));
    await held.connect();
    await ask(
      database.adminUrl,
      // The server has databases of other test files too: their sessions are not this one's to end.
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND usename <> current_user`,
    );
    await expect(broken).resolves.toBeInstanceOf(Error);
  });

  it('is nobody else’s: another one does not see its tables', async () => {
    await ask(database.url, 'CREATE TABLE IF NOT EXISTS mine (n int)');
    const other = await freshDatabase();
    expect(await ask(other.url, `SELECT to_regclass('mine') AS mine`)).toEqual([{ mine: null }]);
    await other.drop();
  });

  it('is gone once dropped, with its owner, although somebody is still connected', async () => {
    const dropped = await freshDatabase();
    const held = new pg.Client({ connectionString: dropped.url });
    held.on('error', () => {});
    await held.connect();
    await dropped.drop();
    await expect(ask(dropped.adminUrl, 'SELECT 1')).rejects.toThrow(/does not exist/);
    await expect(ask(dropped.url, 'SELECT 1')).rejects.toThrow(/password authentication failed|does not exist/);
  });
});
