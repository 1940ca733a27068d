import type { LeaseHash, RunId } from '@delta-ci/contracts';

/** Leases outlive this many newer ones only in unusual installations; the table knows the rest. */
const REMEMBERED_MAX = 20_000;

/** Which run a lease belongs to. A lease never changes its run, so what is known once stays true. */
export class LeaseDirectory {
  readonly #runs = new Map<LeaseHash, RunId>();
  readonly #lookUp: (hash: LeaseHash) => Promise<RunId | null>;

  constructor(lookUp: (hash: LeaseHash) => Promise<RunId | null>) {
    this.#lookUp = lookUp;
  }

  remember(hash: LeaseHash, runId: RunId): void {
    this.#runs.set(hash, runId);
    if (this.#runs.size <= REMEMBERED_MAX) return;
    const oldest = this.#runs.keys().next();
    if (!oldest.done) this.#runs.delete(oldest.value);
  }

  /** The lease's run, or null when no run ever granted it. */
  async runOf(hash: LeaseHash): Promise<RunId | null> {
    const known = this.#runs.get(hash);
    if (known !== undefined) return known;
    const runId = await this.#lookUp(hash);
    if (runId !== null) this.remember(hash, runId);
    return runId;
  }
}
