import type { ConfigFileJob } from '@delta-ci/contracts';
import { CONFIG_FILE_NAMES } from '@delta-ci/contracts';
import { compileGlobList, compileGlobListBelow } from '../glob.ts';
import { changedWord, hidesFiles, placesOf, type ChangedPlace } from '../impact/changed-places.ts';
import type { ChangedFile, PlanningInputs } from '../model.ts';

/** Whether a configured job runs, and why. */
export interface ConfiguredDecision {
  readonly runs: boolean;
  readonly rule: 'no-base' | 'ci-configuration' | 'always' | 'configured-paths' | 'needed-by';
  /** The file that decided; null when none did. */
  readonly file: ChangedFile | null;
  readonly because: string;
}

type Jobs = Readonly<Record<string, ConfigFileJob>>;

/** Decides for every job of the file. A job that a running one needs runs too: its results are asked for. */
export function judgeConfigured(
  jobs: Jobs,
  { comparison }: Pick<PlanningInputs, 'comparison'>,
): ReadonlyMap<string, ConfiguredDecision> {
  if (comparison.kind === 'everything') {
    return forAll(jobs, { runs: true, rule: 'no-base', file: null, because: comparison.reason });
  }
  // Whichever of them: one that went away may have been the one that was followed.
  const own = comparison.changes.find((change) => placesOf(change).some(({ path }) => CONFIG_NAMES.has(path)));
  if (own !== undefined) {
    const because = `${own.path} was ${changedWord(own.status)}, and it configures continuous integration, so everything runs`;
    return forAll(jobs, { runs: true, rule: 'ci-configuration', file: own, because });
  }
  const decided = Object.entries(jobs).map(([name, job]) => [name, byPaths(job, comparison.changes)] as const);
  return withNeeded(jobs, new Map(decided));
}

const CONFIG_NAMES: ReadonlySet<string> = new Set(CONFIG_FILE_NAMES);

function forAll(jobs: Jobs, decision: ConfiguredDecision): Map<string, ConfiguredDecision> {
  return new Map(Object.keys(jobs).map((name) => [name, decision]));
}

function byPaths(job: ConfigFileJob, changes: readonly ChangedFile[]): ConfiguredDecision {
  if (job.paths === undefined) {
    return { runs: true, rule: 'always', file: null, because: 'it has no paths and runs for every change' };
  }
  const matches = compilePaths(job);
  const patterns = job.paths.slice(0, 5).join(', ') + (job.paths.length > 5 ? ', ...' : '');
  const file = changes.find((change) => placesOf(change).some(matches));
  if (file === undefined) {
    const count =
      changes.length === 1 ? 'the changed file does not match' : `none of the ${changes.length} changed files matches`;
    return { runs: false, rule: 'configured-paths', file: null, because: `${count} its paths (${patterns})` };
  }
  const because = `${file.path} was ${changedWord(file.status)}, and it matches the job's paths (${patterns})`;
  return { runs: true, rule: 'configured-paths', file, because };
}

/**
 * Whether a job has to do with a place. A job without paths has to do with everything, and one that names paths below a
 * submodule or a link with whatever becomes of that.
 */
export function compilePaths({ paths }: ConfigFileJob): (place: ChangedPlace) => boolean {
  if (paths === undefined) return () => true;
  const matches = compileGlobList(paths, 'never');
  const matchesBelow = compileGlobListBelow(paths, 'never');
  return (place) => matches(place.path) || (hidesFiles(place) && matchesBelow(place.path));
}

function withNeeded(jobs: Jobs, decided: Map<string, ConfiguredDecision>): Map<string, ConfiguredDecision> {
  const pending = [...decided].filter(([, { runs }]) => runs).map(([name]) => name);
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    for (const need of jobs[name]?.needs ?? []) {
      const decision = decided.get(need);
      if (decision === undefined || decision.runs) continue;
      decided.set(need, { runs: true, rule: 'needed-by', file: null, because: `${name} needs it and runs` });
      pending.push(need);
    }
  }
  return decided;
}
