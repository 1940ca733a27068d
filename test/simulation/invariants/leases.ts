import type { Committed, Row, Transaction } from '../database/rows.ts';
import type { Tally } from './tally.ts';

/** 2, as the tables have it: one live lease for each job and runner, and no life added to a lease that is over. */
export class Leases {
  readonly #tally: Tally;
  readonly #committed: Committed;
  /** The renewal rows as they were before the commit that is looked at. */
  readonly #renewals = new Map<string, Row>();

  constructor(tally: Tally, committed: Committed) {
    this.#tally = tally;
    this.#committed = committed;
  }

  committed(transaction: Transaction, nowMs: number): void {
    if (transaction.changes.has('lease')) this.#assertOneLive();
    for (const [hash, row] of transaction.changes.get('lease_renewal') ?? [])
      this.#takeRenewal(hash, row, transaction, nowMs);
  }

  #assertOneLive(): void {
    const [jobs, runners] = [new Set<string>(), new Set<unknown>()];
    for (const lease of this.#committed.table('lease').values()) {
      if (lease['live'] !== true) continue;
      const job = `${String(lease['run_id'])} ${String(lease['job_key'])}`;
      this.#tally.check('2 fences', !jobs.has(job), () => `two live leases of ${job}`);
      this.#tally.check(
        '2 fences',
        !runners.has(lease['runner_id']),
        () => `two live leases of ${String(lease['runner_id'])}`,
      );
      jobs.add(job);
      runners.add(lease['runner_id']);
    }
  }

  /** A heartbeat changes a renewal row and nothing else; only a lease that is live and in time may get more life. */
  #takeRenewal(hash: string, row: Row | null, { head }: Transaction, nowMs: number): void {
    const before = this.#renewals.get(hash);
    if (row === null) this.#renewals.delete(hash);
    else this.#renewals.set(hash, row);
    if (row === null || head !== null) return;
    const lease = [...this.#committed.table('lease').values()].find((one) => one['lease_hash'] === hash);
    const current = lease?.['live'] === true && lease['state'] === 'active' && isCurrent(this.#committed, lease);
    this.#tally.check('2 fences', current, () => `a lease that is ${String(lease?.['state'])} got more life`);
    const inTime = before !== undefined && Number(before['expires_at_ms']) > nowMs;
    this.#tally.check(
      '2 fences',
      inTime,
      () => `a lease got more life after its time: ${JSON.stringify(before)} at ${nowMs}`,
    );
  }
}

function isCurrent(committed: Committed, lease: Row): boolean {
  const ofJob = [...committed.table('lease').values()].filter(
    (other) => other['run_id'] === lease['run_id'] && other['job_key'] === lease['job_key'],
  );
  return ofJob.every((other) => Number(other['fence']) <= Number(lease['fence']));
}
