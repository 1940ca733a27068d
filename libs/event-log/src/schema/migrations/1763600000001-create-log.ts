import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log itself. `event.canonical` holds the whole record as RFC 8785 text and is what the hash covers; the other
 * columns repeat parts of it for indexes and filters, and verification checks that they still agree.
 */
export class CreateLog1763600000001 implements MigrationInterface {
  readonly name = 'CreateLog1763600000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...GUARDS, ...FUNCTIONS]) await runner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('the log is append-only: it is never migrated away'));
  }
}

const TABLES = [
  `CREATE TABLE log_head (
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     position bigint NOT NULL,
     hash text NOT NULL
   )`,
  // 64 zeros: the hash before the first record.
  `INSERT INTO log_head (position, hash) VALUES (0, repeat('0', 64))`,
  `CREATE TABLE event (
     position bigint PRIMARY KEY,
     id uuid NOT NULL CONSTRAINT event_id_unique UNIQUE,
     stream text NOT NULL,
     version integer NOT NULL,
     type text NOT NULL,
     schema_version smallint NOT NULL,
     time timestamptz NOT NULL,
     correlation text,
     canonical text NOT NULL,
     prev_hash text NOT NULL,
     hash text NOT NULL,
     CONSTRAINT event_stream_version_unique UNIQUE (stream, version)
   )`,
  // Derived on reading, so that it cannot disagree with the canonical text. Escaped NULs become U+FFFD: jsonb has no NUL.
  `CREATE VIEW event_json AS
     SELECT position, id, stream, version, type, schema_version, time, correlation, prev_hash, hash,
            record -> 'actor' AS actor, record ->> 'causation' AS causation, record ->> 'traceparent' AS traceparent,
            record -> 'data' AS data
     FROM event CROSS JOIN LATERAL (SELECT replace(canonical, '\\u0000', '\\ufffd')::jsonb AS record) AS parsed`,
  `CREATE TABLE stream (id text PRIMARY KEY, version integer NOT NULL) WITH (fillfactor = 60)`,
  `CREATE TABLE inbox (
     id text PRIMARY KEY,
     answer text NOT NULL,
     fingerprint text,
     position bigint NOT NULL,
     recorded_at_ms bigint NOT NULL
   )`,
  `CREATE TABLE plan (digest text PRIMARY KEY, body text NOT NULL, stored_at_ms bigint NOT NULL)`,
];

const GUARDS = [
  `CREATE FUNCTION refuse_log_rewrite() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
   BEGIN
     RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
   END $$`,
  `CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_rewrite()`,
  `CREATE TRIGGER log_head_is_kept BEFORE DELETE OR TRUNCATE ON log_head
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_log_rewrite()`,
  `CREATE FUNCTION refuse_head_regress() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
   BEGIN
     IF NEW.position <= OLD.position THEN
       RAISE EXCEPTION 'the log head only moves forward' USING ERRCODE = '42501';
     END IF;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER log_head_moves_forward BEFORE UPDATE ON log_head
     FOR EACH ROW EXECUTE FUNCTION refuse_head_regress()`,
];

const FUNCTIONS = [
  `CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
     SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$`,
  // pg_temp comes last in both: a caller's temporary table must not stand in for the log.
  `CREATE FUNCTION lock_head() RETURNS TABLE (head_position bigint, head_hash text)
     LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
     SELECT position, hash FROM log_head FOR UPDATE $$`,
  `CREATE FUNCTION append_events(
     expected_position bigint, expected_hash text, at timestamptz, ids uuid[], streams text[], versions integer[],
     types text[], schema_versions smallint[], correlations text[], canonicals text[], hashes text[]
   ) RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
   DECLARE
     head log_head;
     last_position bigint := expected_position + cardinality(ids);
   BEGIN
     SELECT * INTO STRICT head FROM log_head FOR UPDATE;
     IF head.position <> expected_position OR head.hash <> expected_hash THEN
       RAISE EXCEPTION 'the log continues after position %, not %', head.position, expected_position
         USING ERRCODE = 'serialization_failure';
     END IF;
     IF cardinality(ids) = 0 OR cardinality(hashes) <> cardinality(ids) THEN
       RAISE EXCEPTION 'an append needs one hash for each of at least one record' USING ERRCODE = '22023';
     END IF;
     INSERT INTO event (position, id, stream, version, type, schema_version, time, correlation, canonical, prev_hash, hash)
     SELECT expected_position + n, r.id, r.stream, r.version, r.type, r.schema_version, at, r.correlation, r.canonical,
            r.prev_hash, r.hash
     FROM unnest(ids, streams, versions, types, schema_versions, correlations, canonicals,
         array_prepend(expected_hash, trim_array(hashes, 1)), hashes) WITH ORDINALITY
       AS r (id, stream, version, type, schema_version, correlation, canonical, prev_hash, hash, n);
     UPDATE log_head SET position = last_position, hash = hashes[cardinality(hashes)];
     PERFORM pg_notify('delta_log', last_position::text);
     RETURN last_position;
   END $$`,
  // Functions are executable by everybody unless said otherwise.
  `REVOKE ALL ON FUNCTION lock_head() FROM PUBLIC`,
  `REVOKE ALL ON FUNCTION append_events(bigint, text, timestamptz, uuid[], text[], integer[], text[], smallint[],
     text[], text[], text[]) FROM PUBLIC`,
];
