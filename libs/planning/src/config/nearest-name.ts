import { editDistance } from '@delta-ci/contracts';

/** The known name that a wrong one was probably meant to be; null when none is close. */
export function nearestName(wrong: string, known: readonly string[]): string | null {
  const lowered = wrong.toLowerCase().slice(0, 100);
  const ranked = known
    .map((name) => ({ name, distance: editDistance(lowered, name.toLowerCase()) }))
    .sort((one, other) => one.distance - other.distance);
  const [best] = ranked;
  if (best === undefined) return null;
  const { length } = best.name;
  // Two letters in five may be wrong: `retry` is `retries`, but `foo` is not `env`, and `a` is not `b`.
  const close = best.distance <= Math.ceil(Math.max(length, lowered.length) / 2.5);
  return close && best.distance < Math.min(length, lowered.length) ? best.name : null;
}
