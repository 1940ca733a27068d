import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROJECTION_NAMES } from '../projections/tables.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { databaseNameOf, roleNames } from './role-names.ts';

const APPEND = `SELECT append_events(0, repeat('0', 64), now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`;

/** Nobody but the append function writes these, whoever asks. */
const FORBIDDEN_TO_ALL = [
  'INSERT INTO event SELECT * FROM event',
  `UPDATE event SET canonical = '{}'`,
  'DELETE FROM event',
  'TRUNCATE event',
  'TRUNCATE event CASCADE',
  'ALTER TABLE event DISABLE TRIGGER ALL',
  'ALTER TABLE event DISABLE TRIGGER event_is_append_only',
  'DROP TRIGGER event_is_append_only ON event',
  'DROP TABLE event',
  'ALTER TABLE event ADD COLUMN more text',
  'ALTER TABLE event OWNER TO CURRENT_USER',
  'CREATE TABLE mine (id int)',
  'CREATE RULE quiet AS ON INSERT TO event DO INSTEAD NOTHING',
  `SET session_replication_role = 'replica'`,
  'INSERT INTO log_head (position, hash) SELECT 0, hash FROM log_head',
  'UPDATE log_head SET position = position + 1',
  'DELETE FROM log_head',
  'TRUNCATE log_head',
  'SELECT position FROM log_head FOR UPDATE',
  `CREATE OR REPLACE FUNCTION lock_head() RETURNS TABLE (head_position bigint, head_hash text)
     LANGUAGE sql AS 'SELECT 0, null'`,
  'DROP FUNCTION lock_head()',
  'GRANT UPDATE ON event TO CURRENT_USER; DELETE FROM event',
  'UPDATE migration SET name = name',
] as const;

const WRITES = [
  ...PROJECTION_NAMES.map((table) => `DELETE FROM ${table}`),
  'DELETE FROM inbox',
  'DELETE FROM plan',
  'DELETE FROM stream',
  'UPDATE lease_renewal SET active = true',
  'SELECT * FROM lock_head()',
  APPEND,
];

const REFUSED = /permission denied|must be owner|append-only|does not exist/;

describe('the roles', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
    const writer = log.writer();
    for (const submission of simpleRun('guarded').submissions) await writer.submit(submission);
  });
  afterAll(() => log.drop());

  const sumOf = async (): Promise<unknown> =>
    (
      await log.admin.query(
        `SELECT count(*), md5(string_agg(e::text, '' ORDER BY position)), (SELECT h::text FROM log_head h) FROM event e`,
      )
    ).rows;

  it.each(FORBIDDEN_TO_ALL)('the orchestrator may not: %s', async (statement) => {
    const before = await sumOf();
    await expect(log.orchestrator.pool.query(statement)).rejects.toThrow(REFUSED);
    expect(await sumOf()).toEqual(before);
  });

  it.each([...FORBIDDEN_TO_ALL, ...WRITES])('a reader may not: %s', async (statement) => {
    const before = await sumOf();
    // Not being read-only by default, but having no right, is what must hold a reader back.
    await expect(log.reader.pool.query(`SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`)).resolves.toBeDefined();
    const client = await log.reader.pool.connect();
    try {
      await client.query('BEGIN READ WRITE');
      await expect(client.query(statement)).rejects.toThrow(REFUSED);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
    expect(await sumOf()).toEqual(before);
  });

  it.each([`UPDATE event SET canonical = '{}'`, 'DELETE FROM event', 'TRUNCATE event', 'DELETE FROM log_head'])(
    'even the owner may not: %s',
    async (statement) => {
      const { owner } = roleNames(databaseNameOf(log.adminUrl));
      const before = await sumOf();
      await expect(log.admin.query(`SET ROLE "${owner}"; ${statement}`)).rejects.toThrow(/append-only/);
      await log.admin.query('RESET ROLE');
      expect(await sumOf()).toEqual(before);
    },
  );

  it('let nobody become the owner, who cannot log in', async () => {
    const { owner } = roleNames(databaseNameOf(log.adminUrl));
    const { rows } = await log.admin.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [owner]);
    expect(rows).toEqual([{ rolcanlogin: false }]);
    for (const { pool } of [log.orchestrator, log.reader]) {
      await expect(pool.query(`SET ROLE "${owner}"`)).rejects.toThrow(/permission denied/);
    }
  });

  it('let the orchestrator append only after the head it names', async () => {
    await expect(log.orchestrator.pool.query(APPEND)).rejects.toThrow('the log continues after position 11, not 0');
  });

  it('are not deceived by a temporary table with the name of the head', async () => {
    const client = await log.orchestrator.pool.connect();
    try {
      await client.query(`CREATE TEMPORARY TABLE log_head AS SELECT 0::bigint AS position, 'mine' AS hash`);
      const { rows } = await client.query('SELECT head_position FROM lock_head()');
      expect(rows).toEqual([{ head_position: 11 }]);
    } finally {
      client.release(true);
    }
  });

  it('may read everything', async () => {
    for (const table of [...PROJECTION_NAMES, 'event', 'event_json', 'inbox', 'plan', 'log_head', 'stream']) {
      await expect(log.reader.pool.query(`SELECT * FROM ${table} LIMIT 1`)).resolves.toBeDefined();
    }
  });
});
