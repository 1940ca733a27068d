import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import { variable, type Surroundings } from '../../surroundings.ts';
import { cacheHome } from '../machine/bubblewrap-path.ts';
import { LocalCaches, type LocalCacheBounds } from './local-caches.ts';

const DAY_MS = 86_400_000;

const KEPT_DAYS = 30;
const KEPT_BYTES = 10 * 1024 ** 3;
/** A year is more than any lockfile lasts, and sixteen tebibytes more than any home has. */
const KEPT_DAYS_MAX = 365;
const KEPT_BYTES_MAX = 2 ** 44;

/** By the shape of what lies there: a version of `delta` that writes another has another folder, and each leaves the other's alone. */
export const localCachesDirectory = (surroundings: Surroundings): string =>
  join(cacheHome(surroundings), 'local', 'caches', 'v1');

/** The caches of this machine, whether there are any or not. */
export const localCaches = (surroundings: Surroundings): LocalCaches =>
  new LocalCaches(localCachesDirectory(surroundings), surroundings.nowMs);

/** How much this machine keeps. @throws Problem for a variable that says no such thing */
export function localCacheBounds(surroundings: Surroundings): LocalCacheBounds {
  return {
    keptMs: wholeNumberOf(surroundings, 'DELTA_CACHES_KEPT_DAYS', KEPT_DAYS, KEPT_DAYS_MAX) * DAY_MS,
    bytesMax: wholeNumberOf(surroundings, 'DELTA_CACHES_KEPT_BYTES', KEPT_BYTES, KEPT_BYTES_MAX),
  };
}

function wholeNumberOf(surroundings: Surroundings, name: string, byDefault: number, max: number): number {
  const text = variable(surroundings, name);
  if (text === null) return byDefault;
  // A blank is no number: as one, it would mean that nothing is kept.
  if (/^\d+$/u.test(text) && Number(text) <= max) return Number(text);
  throw new Problem('invalid_variable', `${name} is a whole number from 0 to ${max}, and not "${text}"`);
}
