import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is derived from the log. Indexes over hot state are partial and rest on flags that change once (`live`,
 * `waiting`), never on `state`: an update of a column that no index mentions stays inside its page (HOT).
 * Times are milliseconds since the epoch by the database's clock.
 */
export class CreateProjections1763600000002 implements MigrationInterface {
  readonly name = 'CreateProjections1763600000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...RUN_TABLES, ...ATTEMPT_TABLES, ...OTHER_TABLES]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE run, run_deadline, job, attempt, lease, lease_renewal, artifact, explanation,
      publication, delivery, runner, repository, pool_decision, plan_job`);
  }
}

const RUN_TABLES = [
  `CREATE TABLE run (
     run_id text PRIMARY KEY,
     repository_id text NOT NULL,
     repository jsonb NOT NULL,
     change jsonb NOT NULL,
     ref text NOT NULL,
     pull_request integer,
     actor jsonb NOT NULL,
     actor_name text NOT NULL,
     policy jsonb NOT NULL,
     rerun jsonb,
     traceparent text,
     state text NOT NULL,
     live boolean NOT NULL,
     outcome text,
     reason text NOT NULL,
     created_at_ms bigint NOT NULL,
     started_at_ms bigint,
     finished_at_ms bigint,
     reported boolean NOT NULL,
     superseded_by text,
     plan_digest text,
     summary text NOT NULL,
     planning_failure jsonb
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX run_newest ON run (created_at_ms DESC, run_id DESC)`,
  `CREATE INDEX run_newest_of_repository ON run (repository_id, created_at_ms DESC, run_id DESC)`,
  `CREATE INDEX run_live_of_repository ON run (repository_id) WHERE live`,
  // One row for each run that waits for something: small, so what is due is found without an index on what changes.
  `CREATE TABLE run_deadline (run_id text PRIMARY KEY, due_at_ms bigint NOT NULL) WITH (fillfactor = 50)`,
  `CREATE TABLE job (
     run_id text NOT NULL,
     job_key text NOT NULL,
     ordinal integer NOT NULL,
     needs jsonb NOT NULL,
     policy jsonb NOT NULL,
     requirements jsonb NOT NULL,
     state text NOT NULL,
     outcome text,
     reason text NOT NULL,
     finished_at_ms bigint,
     PRIMARY KEY (run_id, job_key)
   ) WITH (fillfactor = 50)`,
];

const ATTEMPT_TABLES = [
  `CREATE TABLE attempt (
     run_id text NOT NULL,
     job_key text NOT NULL,
     attempt integer NOT NULL,
     state text NOT NULL,
     waiting boolean NOT NULL,
     outcome text,
     failure_class text,
     reason text NOT NULL,
     pool text NOT NULL,
     priority integer NOT NULL,
     requirements jsonb NOT NULL,
     retry_of jsonb,
     traceparent text,
     runner_id text,
     queued_at_ms bigint NOT NULL,
     queue_deadline_at_ms bigint NOT NULL,
     leased_at_ms bigint,
     started_at_ms bigint,
     finished_at_ms bigint,
     cancel_deadline_at_ms bigint,
     report jsonb,
     PRIMARY KEY (run_id, job_key, attempt)
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX attempt_waiting ON attempt (pool, priority DESC, queued_at_ms) WHERE waiting`,
  `CREATE TABLE lease (
     run_id text NOT NULL,
     job_key text NOT NULL,
     fence integer NOT NULL,
     lease_hash text NOT NULL CONSTRAINT lease_hash_unique UNIQUE,
     runner_id text NOT NULL,
     state text NOT NULL,
     live boolean NOT NULL,
     granted_at_ms bigint NOT NULL,
     expires_at_ms bigint NOT NULL,
     activated_at_ms bigint,
     job_deadline_at_ms bigint,
     ended_at_ms bigint,
     PRIMARY KEY (run_id, job_key, fence)
   ) WITH (fillfactor = 50)`,
  `CREATE UNIQUE INDEX lease_one_live_per_job ON lease (run_id, job_key) WHERE live`,
  `CREATE UNIQUE INDEX lease_one_live_per_runner ON lease (runner_id) WHERE live`,
  // Half-empty pages and no index on what a heartbeat changes: renewals stay in their page. Small: live leases only.
  `CREATE TABLE lease_renewal (
     lease_hash text PRIMARY KEY,
     runner_id text NOT NULL,
     ttl_ms integer NOT NULL,
     active boolean NOT NULL,
     renewed_at_ms bigint NOT NULL,
     expires_at_ms bigint NOT NULL
   ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)`,
];

const OTHER_TABLES = [
  `CREATE TABLE artifact (
     run_id text NOT NULL, job_key text NOT NULL, attempt integer NOT NULL, name text NOT NULL,
     type text NOT NULL, digest text NOT NULL, size_bytes bigint NOT NULL, retention_days integer NOT NULL,
     recorded_at_ms bigint NOT NULL,
     PRIMARY KEY (run_id, job_key, attempt, name)
   )`,
  `CREATE TABLE explanation (
     run_id text NOT NULL, job_key text NOT NULL, attempt integer NOT NULL, explanation jsonb NOT NULL,
     PRIMARY KEY (run_id, job_key, attempt)
   )`,
  `CREATE TABLE publication (
     run_id text NOT NULL, target text NOT NULL, external_id text NOT NULL, view_position bigint NOT NULL,
     digest text NOT NULL, status text NOT NULL, detail text NOT NULL, final text, published_at_ms bigint NOT NULL,
     PRIMARY KEY (run_id, target)
   )`,
  `CREATE TABLE delivery (
     forge text NOT NULL, delivery_id text NOT NULL, event text NOT NULL, payload_digest text NOT NULL,
     run_id text, ignored text, accepted_at_ms bigint NOT NULL,
     PRIMARY KEY (forge, delivery_id)
   )`,
  `CREATE TABLE runner (
     runner_id text PRIMARY KEY, name text NOT NULL, pool text NOT NULL, capabilities jsonb NOT NULL,
     version text NOT NULL, registered_at_ms bigint NOT NULL, present boolean NOT NULL, retired_at_ms bigint,
     retired_reason text, exit_code integer
   )`,
  `CREATE INDEX runner_present ON runner (pool) WHERE present`,
  `CREATE TABLE repository (repository_id text PRIMARY KEY, repository jsonb, policy jsonb)`,
  `CREATE TABLE pool_decision (
     event_id uuid PRIMARY KEY, pool text NOT NULL, desired integer NOT NULL, current integer NOT NULL,
     action text NOT NULL, count integer NOT NULL, signals jsonb NOT NULL, bounds jsonb NOT NULL,
     applied jsonb NOT NULL, sentence text NOT NULL, decided_at_ms bigint NOT NULL
   )`,
  `CREATE INDEX pool_decision_newest ON pool_decision (pool, event_id DESC)`,
  // What people read of a plan's jobs, so that showing a run need not parse the whole plan.
  `CREATE TABLE plan_job (
     plan_digest text NOT NULL, job_key text NOT NULL, ordinal integer NOT NULL, skipped boolean NOT NULL,
     title text NOT NULL, kind text NOT NULL, unit text, sentence text NOT NULL,
     PRIMARY KEY (plan_digest, skipped, ordinal)
   )`,
];
