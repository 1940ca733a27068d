import { stepKey, type JobStep, type LearnedDuration, type LearnedDurations } from '@delta-ci/contracts';

/**
 * As many runs as it takes for a duration to decide anything: the middle one of three is right when one of them is wild.
 */
const RUNS_MIN = 3;

/** How long steps take, as far as that is known well enough to decide by. */
export class StepDurations {
  readonly #learned: LearnedDurations | null;

  constructor(learned: LearnedDurations | null) {
    this.#learned = learned;
  }

  of(step: JobStep): LearnedDuration | null {
    return decisive(this.#learned?.steps[stepKey(step)]);
  }

  /**
   * What a job takes before and beside its own command: sandbox, checkout and its preparation, in milliseconds, with the fewest
   * runs that any of it was measured in. Null when any of it is unknown.
   */
  overhead(preparation: readonly JobStep[]): LearnedDuration | null {
    const all = [decisive(this.#learned?.startUp), ...preparation.map((step) => this.of(step))];
    const known = all.filter((each) => each !== null);
    if (known.length < all.length) return null;
    return {
      ms: known.reduce((sum, { ms }) => sum + ms, 0),
      runs: Math.min(...known.map(({ runs }) => runs)),
    };
  }
}

function decisive(duration: LearnedDuration | null | undefined): LearnedDuration | null {
  return duration === null || duration === undefined || duration.runs < RUNS_MIN ? null : duration;
}

/** `about 14 min (7 runs)`. */
export function aboutText({ ms, runs }: LearnedDuration): string {
  return `${roughly(ms)} (${runs} runs)`;
}

function roughly(ms: number): string {
  if (ms < 1_500) return 'about a second';
  if (ms < 90_000) return `about ${Math.round(ms / 1_000)} s`;
  return `about ${Math.round(ms / 60_000)} min`;
}
