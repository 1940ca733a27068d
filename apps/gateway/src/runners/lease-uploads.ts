import type { LeaseHash } from '@delta-ci/contracts';
import { refusedWith } from '../http/refused.ts';

export interface UploadBounds {
  /** Requests about uploads that one lease may make. */
  readonly requestsMax: number;
  /** Bytes that they may be about, in all. */
  readonly bytesMax: number;
}

/** More than any installation has jobs under way; those that were heard of least lately are forgotten, and begin anew. */
const LEASES_MAX = 10_000;

interface OneLease {
  requests: number;
  bytes: number;
  /** Ends when the last of its turns does. */
  turn: Promise<unknown>;
}

/**
 * What each lease has asked for in uploads, so that no runner fills the store with what it never has recorded, or has the
 * gateway read without end. Counted by each gateway for itself: bounds for a runner gone wild, not accounts.
 */
export class LeaseUploads {
  readonly #bounds: UploadBounds;
  readonly #leases = new Map<LeaseHash, OneLease>();

  constructor(bounds: UploadBounds) {
    this.#bounds = bounds;
  }

  /** Counts a request about so many bytes, within its own bounds where it has some. @throws Refused `payload_too_large` over a bound, and ever after */
  count(lease: LeaseHash, bytes: number, bounds = this.#bounds): void {
    const one = this.#of(lease);
    one.requests += 1;
    one.bytes += bytes;
    const { requestsMax, bytesMax } = bounds;
    if (one.requests <= requestsMax && one.bytes <= bytesMax) return;
    const most = `${requestsMax} requests and ${bytesMax} bytes`;
    throw refusedWith('payload_too_large', `the uploads of one lease are bounded: ${most}`);
  }

  /** Does `work` after whatever of the same lease is in its turn. */
  async inTurn<T>(lease: LeaseHash, work: () => Promise<T>): Promise<T> {
    const one = this.#of(lease);
    const mine = one.turn.then(work);
    one.turn = mine.catch(() => undefined);
    return mine;
  }

  #of(lease: LeaseHash): OneLease {
    const one = this.#leases.get(lease) ?? { requests: 0, bytes: 0, turn: Promise.resolve() };
    this.#leases.delete(lease);
    this.#leases.set(lease, one);
    const [oldest] = this.#leases.keys();
    if (this.#leases.size > LEASES_MAX && oldest !== undefined) this.#leases.delete(oldest);
    return one;
  }
}
