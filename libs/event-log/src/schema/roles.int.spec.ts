import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROJECTION_NAMES } from '../projections/tables.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { databaseNameOf, roleNames } from './role-names.ts';

const APPEND = `SELECT append_events(0, repeat('0', 64), now(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`;

const APPEND_SIGNATURE = `append_events(bigint, text, timestamptz, uuid[], text[], integer[], text[], smallint[], text[], text[], text[])`;

/** Changing what is recorded, in every way SQL has for it. */
const REWRITES = [
  'INSERT INTO event SELECT * FROM event',
  'INSERT INTO event SELECT * FROM event ON CONFLICT (position) DO UPDATE SET hash = excluded.prev_hash',
  `UPDATE event SET canonical = '{}'`,
  'UPDATE event SET time = now() WHERE position = 1',
  `UPDATE event_json SET type = 'none'`,
  'DELETE FROM event',
  'DELETE FROM ONLY event WHERE position = 11',
  'WITH gone AS (DELETE FROM event RETURNING position) SELECT * FROM gone',
  'MERGE INTO event e USING log_head h ON e.position = h.position WHEN MATCHED THEN DELETE',
  'TRUNCATE event',
  'TRUNCATE event CASCADE',
  'COPY event FROM STDIN',
  `COPY event FROM PROGRAM 'true'`,
  `COPY event TO '/tmp/event'`,
  `DO $$ BEGIN EXECUTE 'DELETE FROM event'; END $$`,
  'PREPARE gone AS DELETE FROM event; EXECUTE gone',
  'SELECT position FROM event FOR UPDATE',
  'DO $$ BEGIN LOCK TABLE event IN ACCESS EXCLUSIVE MODE; END $$',
  'INSERT INTO log_head (position, hash) SELECT 0, hash FROM log_head',
  'UPDATE log_head SET position = position + 1',
  'DELETE FROM log_head',
  'TRUNCATE log_head',
  'COPY log_head FROM STDIN',
  'SELECT position FROM log_head FOR UPDATE',
  'UPDATE migration SET name = name',
] as const;

/** Taking the guards away, or putting something else in their place. */
const DISARMINGS = [
  'ALTER TABLE event DISABLE TRIGGER ALL',
  'ALTER TABLE event DISABLE TRIGGER USER',
  'ALTER TABLE event DISABLE TRIGGER event_is_append_only',
  'ALTER TABLE event ENABLE REPLICA TRIGGER event_is_append_only',
  'ALTER TABLE log_head DISABLE TRIGGER ALL',
  'DROP TRIGGER event_is_append_only ON event',
  'DROP TRIGGER log_head_moves_forward ON log_head',
  'CREATE TRIGGER mine BEFORE INSERT ON event EXECUTE FUNCTION refuse_log_rewrite()',
  'CREATE RULE quiet AS ON INSERT TO event DO INSTEAD NOTHING',
  'ALTER TABLE event ENABLE ROW LEVEL SECURITY',
  'CREATE POLICY blind ON event USING (false)',
  `SET session_replication_role = 'replica'`,
  `SELECT set_config('session_replication_role', 'replica', false)`,
  `ALTER ROLE CURRENT_USER SET session_replication_role = 'replica'`,
  `CREATE OR REPLACE FUNCTION lock_head() RETURNS TABLE (head_position bigint, head_hash text)
     LANGUAGE sql AS 'SELECT 0, null'`,
  `CREATE OR REPLACE FUNCTION refuse_log_rewrite() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'`,
  `CREATE OR REPLACE FUNCTION now_ms() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'`,
  `CREATE OR REPLACE FUNCTION append_events(expected_position bigint, expected_hash text, at timestamptz, ids uuid[],
     streams text[], versions integer[], types text[], schema_versions smallint[], correlations text[],
     canonicals text[], hashes text[]) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'`,
  'DROP FUNCTION lock_head()',
  'DROP FUNCTION refuse_log_rewrite() CASCADE',
  `DROP FUNCTION ${APPEND_SIGNATURE}`,
  `ALTER FUNCTION ${APPEND_SIGNATURE} SECURITY INVOKER`,
  `ALTER FUNCTION ${APPEND_SIGNATURE} SET search_path = pg_temp`,
  `ALTER FUNCTION ${APPEND_SIGNATURE} OWNER TO CURRENT_USER`,
  'CREATE OR REPLACE VIEW event_json AS SELECT * FROM event',
] as const;

/** Changing what the tables are, or who may do what. */
const RESHAPINGS = [
  'DROP TABLE event',
  'DROP TABLE log_head CASCADE',
  'DROP SCHEMA public CASCADE',
  'CREATE TABLE mine (id int)',
  'CREATE SCHEMA mine',
  'ALTER TABLE event ADD COLUMN more text',
  'ALTER TABLE event DROP COLUMN hash',
  'ALTER TABLE event ALTER COLUMN hash DROP NOT NULL',
  'ALTER TABLE event DROP CONSTRAINT event_pkey',
  'ALTER TABLE event RENAME TO past',
  'ALTER TABLE event RENAME COLUMN hash TO prev',
  'ALTER TABLE event SET SCHEMA pg_temp',
  'ALTER TABLE event OWNER TO CURRENT_USER',
  'CREATE INDEX mine ON event (time)',
  'DROP INDEX event_stream_version_unique',
  'GRANT UPDATE ON event TO CURRENT_USER; DELETE FROM event',
  'GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC; DELETE FROM event',
  'SET ROLE "@owner"',
  'SET SESSION AUTHORIZATION "@owner"',
  'GRANT "@owner" TO CURRENT_USER',
  'ALTER ROLE "@owner" LOGIN',
  'ALTER ROLE CURRENT_USER SUPERUSER',
  'CREATE ROLE another SUPERUSER',
  'REASSIGN OWNED BY "@owner" TO CURRENT_USER',
  'DROP OWNED BY "@owner"',
  'CREATE EXTENSION file_fdw',
  'CREATE PUBLICATION everything FOR ALL TABLES',
  `SELECT pg_read_file('/etc/hostname')`,
  `SELECT lo_import('/etc/hostname')`,
] as const;

/** Nobody does any of it: the log grows through the append function, whoever asks. */
const FORBIDDEN_TO_ALL = [...REWRITES, ...DISARMINGS, ...RESHAPINGS];

const WRITES = [
  ...PROJECTION_NAMES.map((table) => `DELETE FROM ${table}`),
  'DELETE FROM inbox',
  'DELETE FROM plan',
  'DELETE FROM stream',
  'UPDATE lease_renewal SET active = true',
  'SELECT * FROM lock_head()',
  APPEND,
];

/** Nothing counts as refused that failed for another reason, such as a mistake in the statement. */
const REFUSED =
  /permission denied|must be owner|must be superuser|must be able to SET ROLE|append-only|cannot update view|must inherit|Only roles with/;

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

  /** The owner's name differs from database to database. */
  const meant = (statement: string) => statement.replace('@owner', roleNames(databaseNameOf(log.adminUrl)).owner);

  it.each(FORBIDDEN_TO_ALL)('the orchestrator may not: %s', async (statement) => {
    const before = await sumOf();
    await expect(log.orchestrator.pool.query(meant(statement))).rejects.toThrow(REFUSED);
    expect(await sumOf()).toEqual(before);
  });

  it.each([...FORBIDDEN_TO_ALL, ...WRITES])('a reader may not: %s', async (statement) => {
    const before = await sumOf();
    // Not being read-only by default, but having no right, is what must hold a reader back.
    await expect(log.reader.pool.query(`SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE`)).resolves.toBeDefined();
    const client = await log.reader.pool.connect();
    try {
      await client.query('BEGIN READ WRITE');
      await expect(client.query(meant(statement))).rejects.toThrow(REFUSED);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
    expect(await sumOf()).toEqual(before);
  });

  it.each([
    `UPDATE event SET canonical = '{}'`,
    'UPDATE event SET time = now() WHERE position = 1',
    'DELETE FROM event',
    'DELETE FROM event WHERE false',
    'TRUNCATE event',
    'TRUNCATE event, log_head',
    'DELETE FROM log_head',
    'TRUNCATE log_head',
    'UPDATE log_head SET position = position - 1',
    `UPDATE log_head SET hash = repeat('0', 64)`,
  ])('even the owner may not: %s', async (statement) => {
    const before = await sumOf();
    const refused = /append-only|only moves forward/;
    await expect(log.admin.query(meant(`SET ROLE "@owner"; ${statement}`))).rejects.toThrow(refused);
    await log.admin.query('RESET ROLE');
    expect(await sumOf()).toEqual(before);
  });

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
