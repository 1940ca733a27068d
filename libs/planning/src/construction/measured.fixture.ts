import { stepKey, type JobStep, type LearnedDurations } from '@delta-ci/contracts';

/** Durations as if each of these steps had been measured in so many runs: seconds, or null for what nobody measured. */
export function measured(
  steps: readonly (readonly [JobStep, seconds: number | null])[],
  { startUp = 10, runs = 7 }: { readonly startUp?: number | null; readonly runs?: number } = {},
): LearnedDurations {
  const known = steps.flatMap(([step, seconds]) =>
    seconds === null ? [] : [[stepKey(step), { ms: Math.round(seconds * 1_000), runs }] as const],
  );
  return {
    startUp: startUp === null ? null : { ms: startUp * 1_000, runs },
    steps: Object.fromEntries(known),
  };
}
