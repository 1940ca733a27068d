import type { LeaseHash } from '@delta-ci/contracts';
import { present } from '../broken-invariant.ts';

/**
 * Every lease the run ever granted, by hash, so that a report finds its attempt at once and a late one can be told
 * why it is late. Buckets by the hash's first byte: one grant copies 256 pointers and one short bucket.
 */
export type LeaseIndex = readonly (readonly LeasePlace[])[];

export interface LeasePlace {
  readonly hash: LeaseHash;
  readonly job: number;
  readonly attempt: number;
}

const BUCKETS = 256;

export const NO_LEASES: LeaseIndex = Array.from({ length: BUCKETS }, () => []);

export function findLeasePlace(index: LeaseIndex, hash: LeaseHash): LeasePlace | null {
  return index[bucketOf(hash)]?.find((place) => place.hash === hash) ?? null;
}

export function withLeasePlace(index: LeaseIndex, place: LeasePlace): LeaseIndex {
  const at = bucketOf(place.hash);
  return index.with(at, [...present(index[at], `leases of bucket ${at}`), place]);
}

function bucketOf(hash: LeaseHash): number {
  return Number.parseInt(hash.slice(0, 2), 16);
}
