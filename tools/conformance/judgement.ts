import type { Requirements, Verdict } from './requirement.ts';

/** What was seen of one requirement in one scene. */
export interface Finding<Id extends string> {
  readonly id: Id;
  readonly holds: boolean;
  readonly expected: string;
  readonly seen: string;
  /** Recorded requests and answers that show it. */
  readonly exchange?: readonly string[];
}

/** The first lines of an exchange say what went wrong; a flood of them says no more. */
const EXCHANGE_MAX = 8;

/**
 * Collects what scenes find. A requirement holds when it was looked at and held every time; the first time it did not is told.
 */
export class Judgement<Id extends string> {
  readonly #requirements: Requirements;
  readonly #failed = new Map<Id, Finding<Id> & { readonly scene: string }>();
  readonly #held = new Set<Id>();
  readonly #skipped = new Map<Id, string>();

  constructor(requirements: Readonly<Record<Id, Requirements[string]>>) {
    this.#requirements = requirements;
  }

  note(scene: string, finding: Finding<Id>): void {
    if (finding.holds) this.#held.add(finding.id);
    else if (!this.#failed.has(finding.id)) this.#failed.set(finding.id, { ...finding, scene });
  }

  skip(id: Id, why: string): void {
    if (!this.#skipped.has(id)) this.#skipped.set(id, why);
  }

  /** One verdict for each of `ids`, in the order of the requirements. */
  verdicts(ids: readonly Id[]): readonly Verdict[] {
    return Object.entries(this.#requirements)
      .filter(([id]) => ids.includes(id as Id))
      .map(([id, requirement]) => ({ id, ...requirement, ...this.#verdictOn(id as Id) }));
  }

  #verdictOn(id: Id): Pick<Verdict, 'outcome' | 'expected' | 'seen' | 'scene' | 'exchange'> {
    const nothing = { expected: '', seen: '', scene: '', exchange: [] };
    const failed = this.#failed.get(id);
    if (failed !== undefined) {
      const { expected, seen, scene, exchange = [] } = failed;
      const left = exchange.length - EXCHANGE_MAX;
      const more = left > 0 ? [`(and ${left} more)`] : [];
      return { outcome: 'failed', expected, seen, scene, exchange: [...exchange.slice(0, EXCHANGE_MAX), ...more] };
    }
    if (this.#held.has(id)) return { outcome: 'passed', ...nothing };
    const why = this.#skipped.get(id) ?? 'what it takes to see it did not come about';
    return { outcome: 'skipped', ...nothing, seen: why };
  }
}
