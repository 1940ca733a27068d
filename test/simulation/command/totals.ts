import { INVARIANTS } from '../invariants/tally.ts';
import { SOMETIMES } from '../world/sometimes.ts';
import type { SeedResult } from '../world/seed.ts';

/** What a set of seeds came to, as data that can be added up. */
export interface Sums {
  readonly seeds: number;
  readonly steps: number;
  readonly failed: number;
  readonly checks: Readonly<Record<string, number>>;
  readonly sometimes: Readonly<Record<string, number>>;
}

/** What a set of seeds came to. */
export class Totals {
  seeds = 0;
  steps = 0;
  readonly failed: SeedResult[] = [];
  readonly checks: Record<string, number> = Object.fromEntries(INVARIANTS.map((name) => [name, 0]));
  readonly sometimes: Record<string, number> = Object.fromEntries(SOMETIMES.map((name) => [name, 0]));

  add(result: SeedResult): void {
    this.seeds += 1;
    this.steps += result.steps;
    if (result.broken !== null) this.failed.push(result);
    addTo(this.checks, result.counts);
    addTo(this.sometimes, result.sometimes);
  }

  /** As data, without the failures themselves. */
  get sums(): Sums {
    const { seeds, steps, failed, checks, sometimes } = this;
    return { seeds, steps, failed: failed.length, checks, sometimes };
  }

  /** What none of the seeds provoked. */
  get neverProvoked(): string[] {
    return SOMETIMES.filter((name) => this.sometimes[name] === 0);
  }

  /** Invariants that none of the seeds looked at. */
  get neverChecked(): string[] {
    return INVARIANTS.filter((name) => this.checks[name] === 0);
  }
}

/** Adds counts to those of the same name. */
export function addTo(sums: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
}
