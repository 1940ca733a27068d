/** The value below which the given share (0 to 1) of the samples lies; NaN without samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle one: what a run is like when others disturb some of its samples. */
export const median = (samples: readonly number[]): number => percentile(samples, 0.5);
