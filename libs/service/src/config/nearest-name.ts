import { editDistance } from '@delta-ci/contracts';

/** More than a quarter of the letters wrong is another word, not a slip of the hand. */
const WRONG_SHARE_MAX = 1 / 4;

/** Which known name was probably meant, if any is near enough. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ distance }) => distance <= Math.max(1, name.length * WRONG_SHARE_MAX))
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return ranked[0]?.candidate;
}

/** A name without its last words (`LEASE_TTL` for `LEASE_TTL_MS`) is as near as one wrong letter. */
function distanceOf(name: string, candidate: string): number {
  return candidate.startsWith(`${name}_`) ? 1 : editDistance(name, candidate);
}
