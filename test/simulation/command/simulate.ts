import type { Mutant } from '../mutant.ts';
import type { Mode, SeedOrder, SeedResult } from '../world/seed.ts';
import { Crew } from './crew.ts';
import { Totals } from './totals.ts';

export interface SeedRange {
  readonly from: number;
  readonly seeds: number;
  /** Null: odd seeds are of safety, even ones of liveness. */
  readonly mode: Mode | null;
  readonly stepsMax: number | null;
}

export interface SimulateOptions {
  readonly workers: number;
  readonly mutant: Mutant | null;
  /** Run before the range. */
  readonly first: readonly SeedOrder[];
  /** @returns whether to go on */
  readonly onResult: (result: SeedResult, totals: Totals) => boolean;
}

const modeOf = (seed: number): Mode => (seed % 2 === 1 ? 'safety' : 'liveness');

/** Runs a range of seeds. */
export async function simulate(range: SeedRange, options: SimulateOptions): Promise<Totals> {
  const totals = new Totals();
  const crew = new Crew(options.workers, options.mutant);
  await crew.run(ordersIn(range, options.first), (result) => {
    totals.add(result);
    return options.onResult(result, totals);
  });
  return totals;
}

function* ordersIn({ from, seeds, mode, stepsMax }: SeedRange, first: readonly SeedOrder[]): Generator<SeedOrder> {
  yield* first;
  for (let seed = from; seed < from + seeds; seed += 1) {
    yield { seed, mode: mode ?? modeOf(seed), ...(stepsMax === null ? {} : { stepsMax }) };
  }
}
