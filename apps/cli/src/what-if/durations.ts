/** How long jobs take, as far as anybody said. */
export interface Durations {
  /** Milliseconds of a job, by its key. */
  readonly msOf: (key: string) => number;
  /** What an estimate that is made with them rests on; continues `estimated `. */
  readonly basis: string;
  readonly kind: 'count' | 'durations';
}

const MINUTE_MS = 60_000;

/** Every job is worth as much as any other, and one minute is easy to put right in one's head. */
export const COUNTED: Durations = {
  kind: 'count',
  msOf: () => MINUTE_MS,
  basis: 'by counting jobs, one minute each, because no durations were given',
};

/** Jobs that are not in the list take as long as the average of those that are. */
export function durationsOf(known: ReadonlyMap<string, number>): Durations {
  const sum = [...known.values()].reduce((total, ms) => total + ms, 0);
  const average = known.size === 0 ? MINUTE_MS : sum / known.size;
  return {
    kind: 'durations',
    msOf: (key) => known.get(key) ?? average,
    basis: `from the durations of ${known.size} jobs that were given; any other counts as their average, ${Math.round(average / 1_000)} s`,
  };
}

/** A JSON object of milliseconds by job key; null for anything else. */
export function parseDurations(text: string): Durations | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const entries = Object.entries(value).filter(isDuration);
    return entries.length === Object.keys(value).length ? durationsOf(new Map(entries)) : null;
  } catch {
    return null;
  }
}

function isDuration(entry: [string, unknown]): entry is [string, number] {
  const [, ms] = entry;
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0;
}
