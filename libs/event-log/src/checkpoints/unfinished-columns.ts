import type { ProjectionName } from '../projections/rows.ts';

/**
 * What a line of the digest of unfinished work says of a row, after the table's name. What the state machines decided, in
 * columns of text and whole numbers alone: neither a new column nor another release of Postgres changes a digest that was
 * signed. A column added here makes every checkpoint signed before look wrong.
 */
export const UNFINISHED_COLUMNS = {
  run: ['run_id', 'state', 'plan_digest'],
  job: ['run_id', 'job_key', 'state', 'outcome'],
  attempt: [
    'run_id',
    'job_key',
    'attempt',
    'state',
    'outcome',
    'failure_class',
    'runner_id',
    'queue_deadline_at_ms',
    'cancel_deadline_at_ms',
  ],
  lease: [
    'run_id',
    'job_key',
    'fence',
    'state',
    'lease_hash',
    'runner_id',
    'granted_at_ms',
    'expires_at_ms',
    'job_deadline_at_ms',
  ],
} as const satisfies Readonly<Partial<Record<ProjectionName, readonly string[]>>>;

export type UnfinishedTable = keyof typeof UNFINISHED_COLUMNS;
