import type { RunId } from '@delta-ci/contracts';
import type { FinishedPlan } from './finished-plan.ts';
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
    this.#runs.set(runId, { planDigest: digest, ...concernOf({ trust: plan.trust, recipe: plan.source.recipe }) });
    if (this.#runs.size <= this.#runsMax) return;
    const [oldest] = this.#runs.keys();
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  find(runId: RunId): Concern | null {
    return this.#runs.get(runId) ?? null;
  }
}

/** Strangers' runs prove nothing to others and put nothing in doubt. */
export function concernOf({ trust, recipe }: Pick<FinishedPlan, 'trust' | 'recipe'>): Omit<Concern, 'planDigest'> {
  const trusted = trust === 'trusted' && recipe !== undefined;
  return { proves: trusted && recipe.teaches !== null, doubts: trusted && recipe.used !== null };
}
