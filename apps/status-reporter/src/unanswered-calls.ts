import type { RunId, RunView } from '@delta-ci/contracts';

/**
 * Of what was published of a run. `sure`: it stands there. `waiting`: a call that nobody got an answer to may still be
 * carried out, over a newer one. `due`: none can any more, so that what stands there now is what stays, and is looked at.
 */
export type Certainty = 'sure' | 'waiting' | 'due';

export interface UnansweredCallsOptions {
  /** How long after it was given up a call may still be carried out, by the forge or by what stands before it. */
  lateMs: number;
  nowMs: () => number;
}

/** Runs remembered; one that is forgotten is looked at once more when it was there before this term. */
const RUNS_MAX = 10_000;

/**
 * Which runs may be shown wrongly by a call whose answer nobody got: one of ours, or one of the reporter before us, that
 * died or sleeps in the middle of a call. In memory only, as every term doubts what it finds unreported.
 */
export class UnansweredCalls {
  readonly #options: UnansweredCallsOptions;
  /** When the last such call can have no effect any more; null: what stands there was looked at since. */
  readonly #runs = new Map<RunId, number | null>();
  #termBeganAtMs = 0;
  #inheritedUntilMs = Number.POSITIVE_INFINITY;

  constructor(options: UnansweredCallsOptions) {
    this.#options = options;
  }

  /** Until `inherit` says more, every run counts as one that another reporter may have published. */
  beginTerm(): void {
    this.#termBeganAtMs = this.#options.nowMs();
    this.#inheritedUntilMs = Number.POSITIVE_INFINITY;
    for (const [runId, untilMs] of this.#runs) if (untilMs === null) this.#runs.delete(runId);
  }

  /** @param createdAtMs of the newest run that was there when the term had begun, by the clock of the log */
  inherit(createdAtMs: number): void {
    this.#inheritedUntilMs = createdAtMs;
  }

  unanswered(runId: RunId): void {
    this.#set(runId, this.#options.nowMs() + this.#options.lateMs);
  }

  /** @param isSplit whether one check stands there twice: then it is looked for before each change, to change both */
  confirmed(runId: RunId, isSplit: boolean): void {
    this.#set(runId, isSplit ? 0 : null);
  }

  /** How sure it is what the forge shows of this run, and for how long that only time can tell. */
  of({ runId, createdAtMs, reported }: Pick<RunView, 'runId' | 'createdAtMs' | 'reported'>): {
    certainty: Certainty;
    waitMs: number;
  } {
    const { lateMs, nowMs } = this.#options;
    const isInherited = !reported && createdAtMs <= this.#inheritedUntilMs;
    const inheritedMs = isInherited ? this.#termBeganAtMs + lateMs : null;
    const known = this.#runs.get(runId);
    const untilMs = known === undefined ? inheritedMs : known;
    if (untilMs === null) return { certainty: 'sure', waitMs: 0 };
    const waitMs = untilMs - nowMs();
    return waitMs > 0 ? { certainty: 'waiting', waitMs } : { certainty: 'due', waitMs: 0 };
  }

  #set(runId: RunId, untilMs: number | null): void {
    this.#runs.delete(runId);
    this.#runs.set(runId, untilMs);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
  }
}
