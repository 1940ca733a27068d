import type { LearnedDuration, LearnedDurations, StepKey, StepShare } from '@delta-ci/contracts';

/** How long steps of one repository take, folded from its runs. */

/** One step of an attempt that succeeded. */
export interface MeasuredStep {
  readonly key: StepKey;
  readonly share: StepShare | null;
  readonly ms: number;
}

/** An attempt that succeeded: the time from its lease to its report, and the steps in between. */
export interface MeasuredAttempt {
  readonly totalMs: number;
  readonly steps: readonly MeasuredStep[];
}

/** The last samples of each step in milliseconds, the oldest first; the step that was measured longest ago comes first. */
export interface DurationSamples {
  readonly startUp: readonly number[];
  readonly steps: ReadonlyMap<StepKey, readonly number[]>;
}

export const NO_SAMPLES: DurationSamples = { startUp: [], steps: new Map() };

/**
 * Runs that count for each step. Their median stays where it is while up to four of nine are wild (a sample median breaks
 * down at one half; Huber and Ronchetti, Robust Statistics, 2009, 1.3), and follows a lasting change after five.
 */
export const SAMPLES_MAX = 9;

/** A thousand units with four commands each, and some to spare; whatever was measured longest ago goes first. */
const STEPS_MAX = 5_000;

/** Adds what further runs measured, the oldest run first. Each gives one sample of each step, whatever number of jobs had it. */
export function learnDurations(known: DurationSamples, runs: readonly (readonly MeasuredAttempt[])[]): DurationSamples {
  const steps = new Map(known.steps);
  let { startUp } = known;
  for (const attempts of runs) {
    if (attempts.length === 0) continue;
    startUp = withSample(startUp, median(attempts.map(beside)));
    for (const [key, ms] of samplesOf(attempts)) {
      const before = steps.get(key) ?? [];
      steps.delete(key);
      steps.set(key, withSample(before, ms));
    }
  }
  for (const oldest of steps.keys()) {
    if (steps.size <= STEPS_MAX) break;
    steps.delete(oldest);
  }
  return { startUp, steps };
}

/**
 * The medians, rounded so that a small change of a median changes nothing of what is told, and a plan stays as it is. Of
 * very many steps the ones that were measured last, as far as `bytesMax` of JSON text goes.
 */
export function tellDurations(
  { startUp, steps }: DurationSamples,
  bytesMax = Number.POSITIVE_INFINITY,
): LearnedDurations {
  const told: [StepKey, LearnedDuration][] = [];
  let bytes = 0;
  for (const [key, samples] of [...steps].toReversed()) {
    const duration = durationOf(samples);
    if (duration === null) continue;
    // A character of a key may take several bytes.
    bytes += 2 * key.length + JSON.stringify(duration).length;
    if (bytes > bytesMax) break;
    told.push([key, duration]);
  }
  told.sort(([one], [other]) => (one < other ? -1 : 1));
  return { startUp: durationOf(startUp), steps: Object.fromEntries(told) };
}

function beside({ totalMs, steps }: MeasuredAttempt): number {
  return Math.max(0, totalMs - steps.reduce((sum, { ms }) => sum + ms, 0));
}

/** What one run says of each step. A step that ran in shares took as long as all of them, when all of them are there. */
function samplesOf(attempts: readonly MeasuredAttempt[]): Map<StepKey, number> {
  const steps = attempts.flatMap((attempt) => attempt.steps);
  const whole = Map.groupBy(
    steps.filter(({ share }) => share === null),
    ({ key }) => key,
  );
  const samples = new Map([...whole].map(([key, measured]) => [key, median(measured.map(({ ms }) => ms))]));
  const shared = Map.groupBy(
    steps.flatMap(({ share, ms }) => (share === null ? [] : [{ ...share, ms }])),
    ({ of, count }) => `${count} ${of}`,
  );
  for (const shares of shared.values()) {
    const [first] = shares;
    const byNumber = new Map(shares.map(({ number, ms }) => [number, ms]));
    if (first === undefined || byNumber.size < first.count) continue;
    samples.set(
      first.of,
      [...byNumber.values()].reduce((sum, ms) => sum + ms, 0),
    );
  }
  return samples;
}

const withSample = (samples: readonly number[], ms: number): readonly number[] => [...samples, ms].slice(-SAMPLES_MAX);

/** Of an even number the lower one of both in the middle. */
function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function durationOf(samples: readonly number[]): LearnedDuration | null {
  return samples.length === 0 ? null : { ms: preferred(median(samples)), runs: samples.length };
}

/** The preferred numbers R10 of ISO 3: ten to a decade, each about a quarter more than the one before. */
const PREFERRED = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8, 10] as const;

/** The preferred number that is nearest by ratio, as whole milliseconds; at least one. */
function preferred(ms: number): number {
  let scale = 1;
  while (ms >= scale * 10) scale *= 10;
  const at = PREFERRED.findIndex((number, index) => {
    const next = PREFERRED[index + 1];
    return next === undefined || (ms / scale) ** 2 < number * next;
  });
  return Math.max(1, Math.round((PREFERRED[at] ?? 1) * scale));
}
