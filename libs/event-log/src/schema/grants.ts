import type { RoleNames } from './role-names.ts';

/** Tables the orchestrator writes directly. The log (`event`, `log_head`) is not among them: it grows by function only. */
const WRITTEN_BY_ORCHESTRATOR = [
  'stream',
  'inbox',
  'plan',
  'plan_job',
  'run',
  'run_deadline',
  'job',
  'attempt',
  'lease',
  'lease_renewal',
  'artifact',
  'cache',
  'explanation',
  'publication',
  'delivery',
  'runner',
  'repository',
  'pool_decision',
  'checkpoint',
  'stream_mark',
  'recipe',
  'recipe_failure',
] as const;

const APPEND = `append_events(bigint, text, timestamptz, uuid[], text[], integer[], text[], smallint[], text[], text[], text[])`;

/**
 * The rights of the application roles, as statements that may be repeated. Everything not granted here is refused:
 * rights from earlier versions are taken back first.
 */
export function grantStatements({ orchestrator, reader }: RoleNames): string[] {
  const both = `"${orchestrator}", "${reader}"`;
  return [
    `REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${both}`,
    `GRANT USAGE ON SCHEMA public TO ${both}`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${both}`,
    `GRANT EXECUTE ON FUNCTION now_ms() TO ${both}`,
    `GRANT INSERT, UPDATE, DELETE ON ${WRITTEN_BY_ORCHESTRATOR.join(', ')} TO "${orchestrator}"`,
    `GRANT EXECUTE ON FUNCTION lock_head() TO "${orchestrator}"`,
    `GRANT EXECUTE ON FUNCTION ${APPEND} TO "${orchestrator}"`,
  ];
}

/**
 * Limits that follow the role into every session. A writer that freezes inside a transaction would hold the log's
 * head: the server ends it after 5 s. No statement of ours takes 30 s unless something is wrong.
 */
export function sessionLimitStatements({ orchestrator, reader }: RoleNames): string[] {
  return [
    `ALTER ROLE "${orchestrator}" SET idle_in_transaction_session_timeout = '5s'`,
    `ALTER ROLE "${orchestrator}" SET lock_timeout = '10s'`,
    `ALTER ROLE "${orchestrator}" SET statement_timeout = '30s'`,
    `ALTER ROLE "${reader}" SET idle_in_transaction_session_timeout = '60s'`,
    `ALTER ROLE "${reader}" SET default_transaction_read_only = on`,
  ];
}
