import type { Plan, RunId } from '@delta-ci/contracts';
import type { Planned } from './plan-memory.ts';

/** How a run's end would concern recipes. */
export interface Concern {
  readonly planDigest: string;
  /** Whether its success would prove a recipe, and its failure put one in doubt. */
  readonly proves: boolean;
  readonly doubts: boolean;
}

/** Runs whose end is awaited. One that is forgotten is looked up again; that costs a query and a plan. */
const RUNS_MAX = 10_000;

/** What the plans of the last runs have to do with recipes, so that most ends of runs need no look at anything. */
export class ConcernedRuns {
  readonly #runs = new Map<RunId, Concern>();
  readonly #runsMax: number;

  constructor(runsMax: number = RUNS_MAX) {
    this.#runsMax = runsMax;
  }

  keep(runId: RunId, { plan, digest }: Pick<Planned, 'plan' | 'digest'>): void {
    this.#runs.set(runId, concernOf(plan, digest));
    if (this.#runs.size <= this.#runsMax) return;
    const [oldest] = this.#runs.keys();
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  find(runId: RunId): Concern | null {
    return this.#runs.get(runId) ?? null;
  }
}

export function concernOf({ source: { recipe }, trust }: Plan, planDigest: string): Concern {
  const trusted = trust === 'trusted' && recipe !== undefined;
  return { planDigest, proves: trusted && recipe.teaches !== null, doubts: trusted && recipe.used !== null };
}
