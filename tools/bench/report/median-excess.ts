import { median } from './percentile.ts';

/**
 * How much more `more` is than `less`, by their medians: both are disturbed, and a difference of two samples can be anything. Take them in
 * turns, so that what disturbs disturbs both.
 * @throws Error when it is not positive: then there is nothing between them but disturbance, and no figure of it
 */
export function medianExcess(what: string, more: readonly number[], less: readonly number[]): number {
  const excess = median(more) - median(less);
  if (excess > 0) return excess;
  const told = (samples: readonly number[]): string => `[${samples.map((sample) => sample.toFixed(1)).join(', ')}]`;
  throw new Error(`${what} takes no longer than nothing does: ${told(more)} beside ${told(less)}`);
}
