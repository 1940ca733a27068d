import type { BatchClient, Statement } from './batch-client.ts';
import type { DraftEvent } from './draft-event.ts';

/**
 * Keeps `lease_renewal` in step with the leases: a row from grant to end. The rows are light and not part of the
 * projections: heartbeats move them outside the log.
 */

/** Heartbeats lock rows by hash too; taking them in one order first keeps both from waiting in a circle. */
const LOCK_TOUCHED: Statement = {
  name: 'lock-renewals',
  text: `SELECT r.lease_hash
         FROM unnest($1::text[], $2::text[], $3::integer[]) AS touched (run_id, job_key, fence)
         JOIN lease l USING (run_id, job_key, fence) JOIN lease_renewal r ON r.lease_hash = l.lease_hash
         ORDER BY r.lease_hash FOR UPDATE OF r`,
};

const START: Statement = {
  name: 'start-renewals',
  text: `INSERT INTO lease_renewal (lease_hash, runner_id, ttl_ms, active, renewed_at_ms, expires_at_ms)
         SELECT l.lease_hash, l.runner_id, (run.policy ->> 'leaseTtlMs')::integer, false, l.granted_at_ms, l.expires_at_ms
         FROM unnest($1::text[], $2::text[], $3::integer[]) AS granted (run_id, job_key, fence)
         JOIN lease l USING (run_id, job_key, fence) JOIN run USING (run_id)
         WHERE l.live`,
};

const ACTIVATE: Statement = {
  name: 'activate-renewals',
  text: `UPDATE lease_renewal AS r
         SET active = true, renewed_at_ms = l.activated_at_ms, expires_at_ms = l.activated_at_ms + r.ttl_ms
         FROM unnest($1::text[], $2::text[], $3::integer[]) AS activated (run_id, job_key, fence)
         JOIN lease l USING (run_id, job_key, fence)
         WHERE r.lease_hash = l.lease_hash`,
};

const END: Statement = {
  name: 'end-renewals',
  text: `DELETE FROM lease_renewal AS r
         USING unnest($1::text[], $2::text[], $3::integer[]) AS ended (run_id, job_key, fence)
           JOIN lease l USING (run_id, job_key, fence)
         WHERE r.lease_hash = l.lease_hash`,
};

export const RENEWAL_STATEMENTS: readonly Statement[] = [LOCK_TOUCHED, START, ACTIVATE, END];

/** Sends what the batch's lease events ask for; `lease` and `run` rows must have been sent before. */
export function sendLeaseRenewals(client: BatchClient, drafts: readonly DraftEvent[]): Promise<unknown>[] {
  const granted = keysOf(drafts, ['lease.granted']);
  const activated = keysOf(drafts, ['lease.activated']);
  const ended = keysOf(drafts, ['lease.expired', 'lease.revoked', 'attempt.finished']);
  const touched = joined(activated, ended);
  return [
    ...send(client, LOCK_TOUCHED, touched),
    ...send(client, START, granted),
    ...send(client, ACTIVATE, activated),
    ...send(client, END, ended),
  ];
}

type LeaseEventType = 'lease.granted' | 'lease.activated' | 'lease.expired' | 'lease.revoked' | 'attempt.finished';

/** Columns of lease keys: run ids, job keys, fences. */
type Keys = readonly [runs: string[], jobs: string[], fences: number[]];

function keysOf(drafts: readonly DraftEvent[], types: readonly LeaseEventType[]): Keys {
  const keys: Keys = [[], [], []];
  for (const { event, correlation } of drafts) {
    if (!isOneOf(event, types) || correlation === null) continue;
    keys[0].push(correlation);
    keys[1].push(event.data.jobKey);
    keys[2].push(event.data.attempt);
  }
  return keys;
}

function isOneOf(
  event: DraftEvent['event'],
  types: readonly LeaseEventType[],
): event is Extract<DraftEvent['event'], { type: LeaseEventType }> {
  return types.some((type) => type === event.type);
}

const joined = (a: Keys, b: Keys): Keys => [
  [...a[0], ...b[0]],
  [...a[1], ...b[1]],
  [...a[2], ...b[2]],
];

const send = (client: BatchClient, statement: Statement, keys: Keys): Promise<unknown>[] =>
  keys[0].length === 0 ? [] : [client.run(statement, keys)];
