import type { LedgerEntry, Optimisation, SampledJob, SampledRun } from '@delta-ci/contracts';
import { byText } from '../tree-paths.ts';

/** What one sample says of an optimisation; `unjudged` says nothing and does not count. */
export type SampleVerdict = 'clean' | 'caught' | 'escaped' | 'unstable' | 'unjudged';

/** A failure that came back when the job ran again on the same tree. */
const FAILURES_TO_ESCAPE = 2;

/** Which of two words counts when runs of one commit say both: what is worse for the optimisation, and anything before nothing. */
const WEIGHT: Readonly<Record<SampleVerdict, number>> = { unjudged: 0, clean: 1, unstable: 2, caught: 3, escaped: 4 };

/**
 * What came of every sample, optimisation by optimisation, in the order of their names. Runs of one commit (a push and the pull
 * request it belongs to) are one sample: they fail together, and the bound is of samples that do not.
 */
export function foldLedger(runs: readonly SampledRun[]): LedgerEntry[] {
  const entries = new Map<Optimisation, { -readonly [K in keyof LedgerEntry]: LedgerEntry[K] }>();
  for (const ofCommit of Map.groupBy(runs, ({ commit }) => commit).values()) {
    for (const [optimisation, verdict] of worstOf(ofCommit.map(verdictsOf))) {
      const entry = entries.get(optimisation) ?? { optimisation, samples: 0, caught: 0, escaped: 0, unstable: 0 };
      entries.set(optimisation, entry);
      if (verdict === 'unjudged') continue;
      entry.samples += 1;
      if (verdict !== 'clean') entry[verdict] += 1;
    }
  }
  return [...entries.values()].sort((one, other) => byText(one.optimisation, other.optimisation));
}

function worstOf(
  verdicts: readonly ReadonlyMap<Optimisation, SampleVerdict>[],
): ReadonlyMap<Optimisation, SampleVerdict> {
  const worst = new Map<Optimisation, SampleVerdict>();
  for (const [optimisation, verdict] of verdicts.flatMap((each) => [...each])) {
    if (WEIGHT[verdict] >= WEIGHT[worst.get(optimisation) ?? 'unjudged']) worst.set(optimisation, verdict);
  }
  return worst;
}

/** A run is one sample of each optimisation that left something out of it. */
export function verdictsOf(run: SampledRun): ReadonlyMap<Optimisation, SampleVerdict> {
  const optimisations = new Set(run.jobs.flatMap(({ leftOut }) => leftOut.by));
  return new Map(
    [...optimisations].map((optimisation) => {
      const jobs = run.jobs.filter(({ leftOut }) => leftOut.by.includes(optimisation));
      return [optimisation, verdictOf(jobs, run.selected)];
    }),
  );
}

/** A change in which a failure escaped. */
export interface Escape {
  readonly runId: string;
  readonly finishedAtMs: number;
  readonly optimisations: readonly Optimisation[];
  /** Keys of the jobs that showed it. */
  readonly jobs: readonly string[];
}

/** Every escape, the newest first. */
export function escapesIn(runs: readonly SampledRun[]): Escape[] {
  return runs.toReversed().flatMap((run): Escape[] => {
    const optimisations = [...verdictsOf(run)].flatMap(([name, verdict]) => (verdict === 'escaped' ? [name] : []));
    if (optimisations.length === 0) return [];
    const { runId, finishedAtMs } = run;
    return [{ runId, finishedAtMs, optimisations, jobs: run.jobs.filter(hasFailed).map(({ key }) => key) }];
  });
}

function verdictOf(jobs: readonly SampledJob[], selected: SampledRun['selected']): SampleVerdict {
  const failed = jobs.filter(hasFailed);
  if (failed.length > 0) {
    if (selected === 'failed') return 'caught';
    // What runs as any job is not tried again, and its failure ends the others before they end by themselves: in doubt it counts.
    if (failed.some(({ leftOut }) => leftOut.as === 'counted')) return 'escaped';
    return selected === 'passed' && failed.some(hasFailedAgain) ? 'escaped' : 'unjudged';
  }
  if (jobs.some(({ outcome }) => outcome !== 'succeeded')) return 'unjudged';
  return jobs.some(({ failures }) => failures > 0) ? 'unstable' : 'clean';
}

const hasFailed = ({ outcome, failures }: SampledJob): boolean => outcome === 'failed' && failures > 0;

const hasFailedAgain = ({ failures }: SampledJob): boolean => failures >= FAILURES_TO_ESCAPE;
