import { editDistance } from '@delta-ci/contracts';

/** The known name a person most likely meant: at most a third of its letters differ. Null when none is near. */
export function nearestName(given: string, known: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const name of known) {
    const distance = editDistance(given.slice(0, NAME_LENGTH_MAX), name.slice(0, NAME_LENGTH_MAX));
    if (distance <= Math.ceil(name.length / 3) && (best === null || distance < best.distance))
      best = { name, distance };
  }
  return best?.name ?? null;
}

/** Comparing costs the product of both lengths. */
const NAME_LENGTH_MAX = 200;
