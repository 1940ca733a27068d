import type { JobKey, LeaseHash, RunId, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface HeldLease {
  readonly runId: RunId;
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly leaseHash: LeaseHash;
}

const TEXT = `
  SELECT run_id AS "runId", job_key AS "jobKey", fence AS attempt, lease_hash AS "leaseHash"
  FROM lease WHERE live AND runner_id = $1`;

/** The runner's live leases: at most one, as the table's own index sees to. */
export async function whichLeasesDoesTheRunnerHold({ pool }: LogConnection, runnerId: RunnerId): Promise<HeldLease[]> {
  return (await pool.query<HeldLease>({ name: 'leases-of-runner', text: TEXT, values: [runnerId] })).rows;
}
