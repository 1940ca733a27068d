import type { AttemptState, EpochMs, JobKey, LeaseHash, LeaseState, RunId, RunnerId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** Which lease a heartbeat speaks for, and who sends it. */
export interface Heartbeat {
  readonly leaseHash: LeaseHash;
  readonly runnerId: RunnerId;
}

/** What a lease is after a heartbeat. */
export interface Renewal {
  /**
   * True: the lease counts and lasts `ttlMs` from now. False: it is over, not acknowledged yet, out of time and about
   * to be expired, or another runner's; `state` says which of the first three.
   */
  readonly renewed: boolean;
  readonly runId: RunId;
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly state: LeaseState;
  readonly attemptState: AttemptState;
  readonly ttlMs: number | null;
  readonly cancelRequested: boolean;
  readonly cancelDeadlineAtMs: EpochMs | null;
}

/**
 * One statement for any number of heartbeats. A lease whose time is up is not renewed even if nobody has expired it
 * yet: whoever finds it expired may rely on that. Rows are locked by hash, as the writer does, so nobody waits in a circle.
 */
const TEXT = `
  WITH asked AS MATERIALIZED (
    SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS a (lease_hash, runner_id)
  ), clock AS MATERIALIZED (SELECT now_ms() AS now_ms),
  locked AS MATERIALIZED (
    SELECT r.lease_hash, r.ttl_ms FROM lease_renewal r JOIN asked USING (lease_hash, runner_id)
    WHERE r.active ORDER BY r.lease_hash FOR UPDATE OF r
  ), renewed AS (
    UPDATE lease_renewal r SET renewed_at_ms = clock.now_ms, expires_at_ms = clock.now_ms + r.ttl_ms
    FROM locked, clock
    WHERE r.lease_hash = locked.lease_hash AND r.expires_at_ms > clock.now_ms
    RETURNING r.lease_hash, r.ttl_ms
  )
  SELECT asked.lease_hash AS "leaseHash", asked.runner_id AS "runnerId", renewed.lease_hash IS NOT NULL AS renewed,
    l.run_id AS "runId", l.job_key AS "jobKey", l.fence AS attempt, l.state, a.state AS "attemptState",
    renewed.ttl_ms AS "ttlMs", a.state = 'canceling' AS "cancelRequested",
    a.cancel_deadline_at_ms AS "cancelDeadlineAtMs"
  FROM asked
  JOIN lease l ON l.lease_hash = asked.lease_hash AND l.runner_id = asked.runner_id
  JOIN attempt a ON a.run_id = l.run_id AND a.job_key = l.job_key AND a.attempt = l.fence
  LEFT JOIN renewed ON renewed.lease_hash = asked.lease_hash`;

/** Heartbeats: light rows outside the log. */
export class LeaseRenewals {
  readonly #log: LogConnection;

  constructor(log: LogConnection) {
    this.#log = log;
  }

  /** Renews many leases at once. Answers in the order of `beats`; null: no such lease of that runner. */
  async renew(beats: readonly Heartbeat[]): Promise<(Renewal | null)[]> {
    if (beats.length === 0) return [];
    const values = [beats.map((beat) => beat.leaseHash), beats.map((beat) => beat.runnerId)];
    const { rows } = await this.#log.pool.query<Renewal & Heartbeat>({ name: 'renew-leases', text: TEXT, values });
    const found = new Map(rows.map(({ leaseHash, runnerId, ...renewal }) => [`${leaseHash} ${runnerId}`, renewal]));
    return beats.map(({ leaseHash, runnerId }) => found.get(`${leaseHash} ${runnerId}`) ?? null);
  }
}
