import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '@delta-ci/contracts';
import type { PlanningOutcome } from './planning-outcome.ts';
import { WeightedMemory } from './weighted-memory.ts';

export type Planned = Extract<PlanningOutcome, { kind: 'planned' }>;

/** Canonical text of plans that are kept; as objects they take a few times as much. */
const BYTES_MAX = 32 * 1_024 ** 2;

/**
 * The last plan of each construction: what was planned once need not be planned again when the same tree comes under
 * another name, and not even written out again when the same change does. By `constructionKey`, which says all that decides a plan,
 * or rather by its hash: what steps take can be as long as a plan.
 */
export class PlanMemory {
  readonly #plans: WeightedMemory<Planned>;

  constructor(bytesMax: number = BYTES_MAX) {
    this.#plans = new WeightedMemory(bytesMax);
  }

  find(key: string): Planned | null {
    return this.#plans.take(hash('sha256', key));
  }

  keep(key: string, planned: Planned): void {
    this.#plans.keep(hash('sha256', key), planned, planned.sizeBytes);
  }
}

/** Whether a plan of the same construction also bears the same heading, so that its digest is that of a fresh one. */
export function isOfSameChange({ change, commit }: Plan, of: Pick<Plan, 'change' | 'commit'>): boolean {
  return commit === of.commit && isDeepStrictEqual(change, of.change);
}
