import type { AttemptState, EpochMs, JobKey, LeaseHash, LeaseState, RunId, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** A lease as the tables know it: enough to let a runner's upload in, or to find its run. */
export interface FoundLease {
  readonly runId: RunId;
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly fence: number;
  readonly runnerId: RunnerId;
  readonly state: LeaseState;
  readonly attemptState: AttemptState;
  readonly cancelDeadlineAtMs: EpochMs | null;
}

const TEXT = `
  SELECT l.run_id AS "runId", l.job_key AS "jobKey", l.fence AS attempt, l.fence, l.runner_id AS "runnerId", l.state,
         a.state AS "attemptState", a.cancel_deadline_at_ms AS "cancelDeadlineAtMs"
  FROM lease l JOIN attempt a ON a.run_id = l.run_id AND a.job_key = l.job_key AND a.attempt = l.fence
  WHERE l.lease_hash = $1`;

/** The lease with this hash, live or over; null when there never was one. */
export async function findLease({ pool }: LogConnection, leaseHash: LeaseHash): Promise<FoundLease | null> {
  const { rows } = await pool.query<FoundLease>({ name: 'find-lease', text: TEXT, values: [leaseHash] });
  return rows[0] ?? null;
}
