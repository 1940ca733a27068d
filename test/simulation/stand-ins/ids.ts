import { shownMs } from '../engine/simulated-globals.ts';
import { randomBytes } from './node-crypto.ts';

/** Stands in for the makers of ids that keep randomness from one call to the next: it would leak into the next seed. */

/** A UUID version 7 of `atMs`. */
export function newEventId(atMs: number): string {
  const random = randomBytes(10).toString('hex');
  const time = atMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

/** As the package `uuid` has it. */
export const v7 = (): string => newEventId(shownMs());
