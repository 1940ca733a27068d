import { readFileSync, writeFileSync } from 'node:fs';
import { INVARIANTS } from '../invariants/tally.ts';
import type { Mode } from '../world/seed.ts';
import { SOMETIMES } from '../world/sometimes.ts';
import { addTo, type Sums, type Totals } from './totals.ts';

/** What came of a range of seeds: ranges of one commit add up to one verdict. */
export interface Verdict extends Sums {
  readonly commits: readonly string[];
  /** Ranges as `FROM-TO`. Seeds that failed once run before each of them and count, too. */
  readonly ranges: readonly string[];
  readonly failures: readonly { readonly seed: number; readonly mode: Mode; readonly invariant: string }[];
  /** What no seed provoked, and invariants that none looked at. */
  readonly missing: readonly string[];
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** Of a run that is over: the processor's time is that of this process. */
export function verdictOf(totals: Totals, range: string, commit: string, wallSeconds: number): Verdict {
  const { user, system } = process.cpuUsage();
  return {
    commits: [commit],
    ranges: [range],
    ...totals.sums,
    failures: totals.failed.map(({ seed, mode, broken }) => ({ seed, mode, invariant: broken?.invariant ?? '' })),
    missing: [...totals.neverProvoked, ...totals.neverChecked],
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
  };
}

/** Adds verdicts up. What is missing is what none of them has. */
export function summed(verdicts: readonly Verdict[]): Verdict {
  const checks: Record<string, number> = {};
  const sometimes: Record<string, number> = {};
  for (const verdict of verdicts) {
    addTo(checks, verdict.checks);
    addTo(sometimes, verdict.sometimes);
  }
  const total = (of: (verdict: Verdict) => number) => verdicts.reduce((sum, verdict) => sum + of(verdict), 0);
  return {
    commits: [...new Set(verdicts.flatMap(({ commits }) => commits))],
    ranges: verdicts.flatMap(({ ranges }) => ranges),
    seeds: total(({ seeds }) => seeds),
    steps: total(({ steps }) => steps),
    failed: total(({ failed }) => failed),
    checks,
    sometimes,
    failures: verdicts.flatMap(({ failures }) => failures),
    missing: [...SOMETIMES.filter((name) => !sometimes[name]), ...INVARIANTS.filter((name) => !checks[name])],
    wallSeconds: total(({ wallSeconds }) => wallSeconds),
    cpuSeconds: total(({ cpuSeconds }) => cpuSeconds),
  };
}

export const readVerdict = (file: string): Verdict => JSON.parse(readFileSync(file, 'utf8')) as Verdict;

export const writeVerdict = (file: string, verdict: Verdict): void =>
  writeFileSync(file, `${JSON.stringify(verdict, null, 2)}\n`);
