import { LearnedDurations, stepKey, stepNameOf, type PlannedJob, type SkippedJob } from '@delta-ci/contracts';

/** A job of a plan, whether it runs or not. */
export type CountedJob = Pick<SkippedJob, 'key' | 'kind' | 'unit'> & Partial<Pick<PlannedJob, 'steps'>>;

/** How long jobs take, as far as anybody said. */
export interface Durations {
  /** Milliseconds of a job. */
  readonly msOf: (job: CountedJob) => number;
  /** What an estimate that is made with them rests on; continues `estimated `. */
  readonly basis: string;
  readonly kind: 'count' | 'durations';
  /** What is planned with: what steps of the repository took; null when only jobs as wholes are known. */
  readonly learned: LearnedDurations | null;
  /** The text that says so; empty when none does. */
  readonly source: string;
}

const MINUTE_MS = 60_000;

/** Every job is worth as much as any other, and one minute is easy to put right in one's head. */
export const COUNTED: Durations = {
  kind: 'count',
  msOf: () => MINUTE_MS,
  basis: 'by counting jobs, one minute each, because no durations were given',
  learned: null,
  source: '',
};

/** Jobs that are not in the list take as long as the average of those that are. */
function durationsOf(known: ReadonlyMap<string, number>, source: string): Durations {
  const average = averageOf([...known.values()]);
  return {
    kind: 'durations',
    msOf: ({ key }) => known.get(key) ?? average,
    basis: `from the durations of ${known.size} jobs that were given; any other counts as their average, ${secondsText(average)}`,
    learned: null,
    source,
  };
}

/**
 * A job that runs takes its start and its steps; of one that does not, the start and its own command are known. Where a step is
 * not known, it counts as the average of those that are.
 */
function learnedDurations(learned: LearnedDurations, source: string): Durations {
  const steps = Object.entries(learned.steps);
  const average = averageOf(steps.map(([, { ms }]) => ms));
  const startUp = learned.startUp?.ms ?? 0;
  const byName = new Map(steps.map(([key, { ms }]) => [stepNameOf(key), ms]));
  const ofSteps = (all: PlannedJob['steps']): number =>
    all.reduce(
      (sum, step) => sum + (learned.steps[step.share?.of ?? stepKey(step)]?.ms ?? average) / (step.share?.count ?? 1),
      0,
    );
  return {
    kind: 'durations',
    msOf: ({ kind, unit, steps: own }) =>
      startUp + (own === undefined ? (byName.get(`${kind} ${unit ?? ''}`) ?? average) : ofSteps(own)),
    basis: `from what ${steps.length} steps took in runs of the repository; any other counts as their average, ${secondsText(average)}`,
    learned,
    source,
  };
}

function averageOf(numbers: readonly number[]): number {
  return numbers.length === 0 ? MINUTE_MS : numbers.reduce((total, ms) => total + ms, 0) / numbers.length;
}

const secondsText = (ms: number): string => `${Math.round(ms / 1_000)} s`;

/** What `delta durations --json` prints, or a JSON object of milliseconds by job key; null for anything else. */
export function parseDurations(text: string): Durations | null {
  const value = parseJson(text);
  const learned = LearnedDurations.safeParse(value);
  if (learned.success) return learnedDurations(learned.data, text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value).filter(isDuration);
  return entries.length === Object.keys(value).length ? durationsOf(new Map(entries), text) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isDuration(entry: [string, unknown]): entry is [string, number] {
  const [, ms] = entry;
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0;
}
