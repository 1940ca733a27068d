import type { Statement } from './batch-client.ts';

/** The writer's statements: fixed texts that take any number of rows, so that each is prepared once. */

/** Locks streams in one order, so that writers wait for each other and never in a circle. */
export const LOCK_STREAMS: Statement = {
  name: 'lock-streams',
  text: 'SELECT id, version FROM stream WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE',
};

/** Runs after the locks, in a snapshot of its own: what earlier holders of the locks committed is seen here. */
export const CLOCK_AND_HEAD: Statement = {
  name: 'clock-and-head',
  text: 'SELECT now_ms() AS now_ms, position AS head_position FROM log_head',
};

export const FIND_REMEMBERED: Statement = {
  name: 'find-remembered',
  text: 'SELECT id, answer, fingerprint, position FROM inbox WHERE id = ANY($1::text[])',
};

export const LOAD_TAILS: Statement = {
  name: 'load-tails',
  text: `SELECT e.stream, e.version, e.canonical, e.prev_hash, e.hash
         FROM unnest($1::text[], $2::integer[]) AS wanted (stream, after_version)
         JOIN event e ON e.stream = wanted.stream AND e.version > wanted.after_version
         ORDER BY e.stream, e.version`,
};

export const LOCK_HEAD: Statement = {
  name: 'lock-head',
  text: 'SELECT head_position, head_hash FROM lock_head()',
};

/** Runs after the head is locked: nobody else appends now, so what it reads stays true without locking the rows. */
export const STREAM_VERSIONS: Statement = {
  name: 'stream-versions',
  text: 'SELECT id, version FROM stream WHERE id = ANY($1::text[])',
};

/** Stands between canonical texts: JSON never holds a control character as it is, so none needs escaping. */
export const TEXT_SEPARATOR = '\x1e';

export const APPEND_EVENTS: Statement = {
  name: 'append-events',
  text: `SELECT append_events($1::bigint, $2::text, $3::timestamptz, $4::uuid[], $5::text[], $6::integer[], $7::text[],
           $8::smallint[], $9::text[], string_to_array($10::text, E'\\x1e'), $11::text[])`,
};

export const MOVE_STREAMS: Statement = {
  name: 'move-streams',
  text: `INSERT INTO stream (id, version) SELECT * FROM unnest($1::text[], $2::integer[])
         ON CONFLICT (id) DO UPDATE SET version = excluded.version`,
};

export const REMEMBER: Statement = {
  name: 'remember',
  text: `INSERT INTO inbox (id, answer, fingerprint, position, recorded_at_ms)
         SELECT id, answer, fingerprint, position, $5::bigint
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS r (id, answer, fingerprint, position)`,
};

export const STORE_PLANS: Statement = {
  name: 'store-plans',
  text: `INSERT INTO plan (digest, body, stored_at_ms)
         SELECT digest, body, $3::bigint FROM unnest($1::text[], $2::text[]) AS r (digest, body)
         ON CONFLICT (digest) DO NOTHING`,
};

export const STORE_PLAN_JOBS: Statement = {
  name: 'store-plan-jobs',
  text: `INSERT INTO plan_job (plan_digest, job_key, ordinal, skipped, title, kind, unit, sentence, steps)
         SELECT * FROM json_to_recordset($1::json) AS r (plan_digest text, job_key text, ordinal integer,
           skipped boolean, title text, kind text, unit text, sentence text, steps jsonb)
         ON CONFLICT (plan_digest, skipped, ordinal) DO NOTHING`,
};

export const SET_DEADLINES: Statement = {
  name: 'set-deadlines',
  text: `INSERT INTO run_deadline (run_id, due_at_ms) SELECT * FROM unnest($1::text[], $2::bigint[])
         ON CONFLICT (run_id) DO UPDATE SET due_at_ms = excluded.due_at_ms`,
};

export const DROP_DEADLINES: Statement = {
  name: 'drop-deadlines',
  text: 'DELETE FROM run_deadline WHERE run_id = ANY($1::text[])',
};
