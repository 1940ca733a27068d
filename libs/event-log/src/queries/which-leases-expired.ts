import type { EpochMs, JobKey, LeaseHash, RunId, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** A lease nobody renewed in time. Renewals are refused from that moment on, so it stays expired. */
export interface ExpiredLease {
  readonly runId: RunId;
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly fence: number;
  readonly leaseHash: LeaseHash;
  readonly runnerId: RunnerId;
  /** Whether it has been acknowledged. */
  readonly wasActive: boolean;
  /** The last sign of life: a renewal, the acknowledgement or the grant. */
  readonly silentSinceMs: EpochMs;
}

const TEXT = `
  SELECT l.run_id AS "runId", l.job_key AS "jobKey", l.fence AS attempt, l.fence, l.lease_hash AS "leaseHash",
         l.runner_id AS "runnerId", r.active AS "wasActive", r.renewed_at_ms AS "silentSinceMs"
  FROM lease_renewal r JOIN lease l USING (lease_hash)
  WHERE r.expires_at_ms <= (SELECT now_ms()) AND l.live
  ORDER BY r.expires_at_ms LIMIT $1`;

/**
 * Leases whose time is up by the database's clock, longest first. Reads the renewal rows without an index: there is
 * one for each live lease, and an index on what every heartbeat changes would cost more than it saves.
 */
export async function whichLeasesExpired({ pool }: LogConnection, limit: number): Promise<ExpiredLease[]> {
  return (await pool.query<ExpiredLease>({ name: 'which-leases-expired', text: TEXT, values: [limit] })).rows;
}
