import { createHash } from 'node:crypto';
import type { Row } from './rows.ts';
import { text, type Statement } from './statement.ts';

/** What a line about a row of each table says, after the table's name. */
const COLUMNS = {
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
} as const;

const shown = (value: unknown): string => (typeof value === 'number' || typeof value === 'string' ? `${value}` : '-');

/** The digest of the work under way: one line for each live run and lease, and for the jobs and attempts of live runs. */
export const digestUnfinished: Statement = ({ transaction }) => {
  const isOfLiveRun = (row: Row) => transaction.get('run', text(row['run_id']))?.['live'] === true;
  const isLive = (row: Row) => row['live'] === true;
  const chosen = { run: isLive, job: isOfLiveRun, attempt: isOfLiveRun, lease: isLive };
  const tables = ['run', 'job', 'attempt', 'lease'] as const;
  const lines = tables.flatMap((table) =>
    transaction
      .rows(table)
      .filter(chosen[table])
      .map((row) => [table, ...COLUMNS[table].map((column) => shown(row[column]))].join(' ')),
  );
  return [{ digest: createHash('sha256').update(lines.sort().join('\n')).digest('hex'), lines: lines.length }];
};
