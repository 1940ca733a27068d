import { number, oneOf, text, zipped, type Statement, type StatementContext } from './statement.ts';
import type { Row, Transaction } from './rows.ts';

/** Statements on leases and their renewal rows. */

const leaseOf = (transaction: Transaction, [run, job, fence]: readonly unknown[]): Row | undefined =>
  transaction.get('lease', `${text(run)} ${text(job)} ${number(fence)}`);

const attemptOfLease = (transaction: Transaction, { run_id, job_key, fence }: Row): Row | undefined =>
  transaction.get('attempt', `${text(run_id)} ${text(job_key)} ${number(fence)}`);

const leasesByHash = (transaction: Transaction): Map<unknown, Row> =>
  new Map(transaction.rows('lease').map((lease) => [lease['lease_hash'], lease]));

function lockRenewals({ transaction, lock }: StatementContext, hashes: readonly string[]): void {
  for (const hash of hashes.toSorted()) {
    if (transaction.get('lease_renewal', hash) !== undefined) lock(`lease_renewal ${hash}`);
  }
}

const lockTouched: Statement = (context, [runs, jobs, fences]) => {
  const touched = zipped(runs, jobs, fences).flatMap((key) => oneOf(leaseOf(context.transaction, key)));
  lockRenewals(
    context,
    touched.map((lease) => text(lease['lease_hash'])),
  );
  return [];
};

const startRenewals: Statement = ({ transaction }, [runs, jobs, fences]) => {
  for (const key of zipped(runs, jobs, fences)) {
    const lease = leaseOf(transaction, key);
    const run = transaction.get('run', text(key[0]));
    if (lease?.['live'] !== true || run === undefined) continue;
    const { lease_hash, runner_id, granted_at_ms, expires_at_ms } = lease;
    const ttl_ms = (run['policy'] as { leaseTtlMs: number }).leaseTtlMs;
    const row = { lease_hash, runner_id, ttl_ms, active: false, renewed_at_ms: granted_at_ms, expires_at_ms };
    transaction.set('lease_renewal', text(lease_hash), row);
  }
  return [];
};

const activateRenewals: Statement = ({ transaction }, [runs, jobs, fences]) => {
  for (const key of zipped(runs, jobs, fences)) {
    const lease = leaseOf(transaction, key);
    const hash = text(lease?.['lease_hash'] ?? '');
    const renewal = transaction.get('lease_renewal', hash);
    if (lease === undefined || renewal === undefined) continue;
    const renewed_at_ms = number(lease['activated_at_ms']);
    const expires_at_ms = renewed_at_ms + number(renewal['ttl_ms']);
    transaction.set('lease_renewal', hash, { ...renewal, active: true, renewed_at_ms, expires_at_ms });
  }
  return [];
};

const endRenewals: Statement = ({ transaction }, [runs, jobs, fences]) => {
  for (const key of zipped(runs, jobs, fences)) {
    const hash = text(leaseOf(transaction, key)?.['lease_hash'] ?? '');
    if (transaction.get('lease_renewal', hash) !== undefined) transaction.set('lease_renewal', hash, null);
  }
  return [];
};

/** One statement for many heartbeats: what is active, this runner's and not out of time gets its whole life again. */
const renewLeases: Statement = (context, [hashes, runners]) => {
  const { transaction, nowMs } = context;
  const asked = new Map(
    zipped(hashes, runners).map(([hash, runner]) => [`${text(hash)} ${text(runner)}`, { hash: text(hash), runner }]),
  );
  const active = [...asked.values()].filter(({ hash, runner }) => {
    const renewal = transaction.get('lease_renewal', hash);
    return renewal?.['active'] === true && renewal['runner_id'] === runner;
  });
  lockRenewals(
    context,
    active.map(({ hash }) => hash),
  );
  const leases = leasesByHash(transaction);
  return [...asked.values()].flatMap(({ hash, runner }) => {
    const lease = leases.get(hash);
    const attempt = lease === undefined ? undefined : attemptOfLease(transaction, lease);
    if (lease === undefined || attempt === undefined || lease['runner_id'] !== runner) return [];
    const ttlMs = active.some((one) => one.hash === hash) ? renewed(transaction, hash, nowMs) : null;
    return [renewalRow(lease, attempt, ttlMs)];
  });
};

function renewed(transaction: Transaction, hash: string, nowMs: number): number | null {
  const renewal = transaction.get('lease_renewal', hash);
  if (renewal?.['active'] !== true || number(renewal['expires_at_ms']) <= nowMs) return null;
  const ttlMs = number(renewal['ttl_ms']);
  transaction.set('lease_renewal', hash, { ...renewal, renewed_at_ms: nowMs, expires_at_ms: nowMs + ttlMs });
  return ttlMs;
}

const renewalRow = (lease: Row, attempt: Row, ttlMs: number | null): Row => ({
  leaseHash: lease['lease_hash'],
  runnerId: lease['runner_id'],
  renewed: ttlMs !== null,
  runId: lease['run_id'],
  jobKey: lease['job_key'],
  attempt: lease['fence'],
  state: lease['state'],
  attemptState: attempt['state'],
  ttlMs,
  cancelRequested: attempt['state'] === 'canceling',
  cancelDeadlineAtMs: attempt['cancel_deadline_at_ms'],
});

const findLease: Statement = ({ transaction }, [hash]) => {
  const lease = leasesByHash(transaction).get(hash);
  const attempt = lease === undefined ? undefined : attemptOfLease(transaction, lease);
  if (lease === undefined || attempt === undefined) return [];
  const { run_id: runId, job_key: jobKey, fence, runner_id: runnerId, state } = lease;
  const { state: attemptState, cancel_deadline_at_ms: cancelDeadlineAtMs } = attempt;
  return [{ runId, jobKey, attempt: fence, fence, runnerId, state, attemptState, cancelDeadlineAtMs }];
};

const leasesOfRunner: Statement = ({ transaction }, [runnerId]) =>
  transaction
    .rows('lease')
    .filter((lease) => lease['live'] === true && lease['runner_id'] === runnerId)
    .map(({ run_id: runId, job_key: jobKey, fence: attempt, lease_hash: leaseHash }) => ({
      runId,
      jobKey,
      attempt,
      leaseHash,
    }));

const whichLeasesExpired: Statement = ({ transaction, nowMs }, [limit]) => {
  const leases = leasesByHash(transaction);
  return transaction
    .rows('lease_renewal')
    .filter((renewal) => number(renewal['expires_at_ms']) <= nowMs)
    .toSorted((a, b) => number(a['expires_at_ms']) - number(b['expires_at_ms']))
    .flatMap((renewal) => {
      const lease = leases.get(renewal['lease_hash']);
      if (lease?.['live'] !== true) return [];
      const { run_id: runId, job_key: jobKey, fence, lease_hash: leaseHash, runner_id: runnerId } = lease;
      const { active: wasActive, renewed_at_ms: silentSinceMs } = renewal;
      return [{ runId, jobKey, attempt: fence, fence, leaseHash, runnerId, wasActive, silentSinceMs }];
    })
    .slice(0, number(limit));
};

export const LEASE_STATEMENTS: Readonly<Record<string, Statement>> = {
  'lock-renewals': lockTouched,
  'start-renewals': startRenewals,
  'activate-renewals': activateRenewals,
  'end-renewals': endRenewals,
  'renew-leases': renewLeases,
  'find-lease': findLease,
  'leases-of-runner': leasesOfRunner,
  'which-leases-expired': whichLeasesExpired,
};
