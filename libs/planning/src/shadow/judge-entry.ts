import type { LedgerEntry, ShadowRules } from '@delta-ci/contracts';
import { escapeBound } from './escape-bound.ts';

/** What is made of an entry of the ledger. */
export interface JudgedEntry extends LedgerEntry {
  /** One-sided upper bound of the share of changes in which a failure escapes, from 0 to 1. */
  readonly bound: number;
  /** Whether the optimisation is in force; otherwise what it would leave out runs. */
  readonly on: boolean;
  /** How many samples are missing before those that are there decide alone. */
  readonly missing: number;
}

/**
 * An optimisation is switched off when the bound exceeds the limit even if nothing had escaped in the samples that are
 * still missing. So few samples alone switch nothing off, and an escape that no further sample could make good does at once.
 */
export function judgeEntry(entry: LedgerEntry, rules: ShadowRules): JudgedEntry {
  const { samples, escaped } = entry;
  const enough = Math.max(rules.samplesMin, samplesFor(rules.escapeRateMax));
  const bound = escapeBound(escaped, samples);
  const on = escapeBound(escaped, Math.max(samples, enough)) <= rules.escapeRateMax;
  return { ...entry, bound, on, missing: Math.max(0, enough - samples) };
}

/** As many samples as it takes to stay within a limit when nothing escapes: (1 - limit)^n has to be 5 % at most. */
function samplesFor(limit: number): number {
  return limit >= 1 ? 1 : Math.ceil(Math.log(0.05) / Math.log1p(-limit));
}
