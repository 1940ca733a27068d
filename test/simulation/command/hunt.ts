import type { Mutant } from '../mutant.ts';
import type { SeedResult } from '../world/seed.ts';
import { simulate } from './simulate.ts';

/** A mutant that survives so many seeds shows that the simulator is blind to it. */
const SEEDS_TO_CATCH_MAX = 200;

export interface Caught {
  readonly mutant: Mutant;
  /** The first seed that broke what the mutant should break; null: it survived. */
  readonly by: SeedResult | null;
  readonly seeds: number;
  /** What broke instead, when something did. */
  readonly instead: string | null;
}

/** Runs seeds with a mutant until one of its invariants breaks. */
export async function hunt(mutant: Mutant, workers: number, from = 1): Promise<Caught> {
  let by: SeedResult | null = null;
  let instead: string | null = null;
  const range = { from, seeds: SEEDS_TO_CATCH_MAX, mode: null, stepsMax: null };
  const totals = await simulate(range, {
    workers,
    mutant,
    first: [],
    onResult: (result) => {
      if (result.broken === null) return true;
      const expected = mutant.caughtBy.some((invariant) => invariant === result.broken?.invariant);
      if (expected) by ??= result;
      else instead ??= result.broken.detail;
      return by === null;
    },
  });
  return { mutant, by, seeds: totals.seeds, instead };
}
