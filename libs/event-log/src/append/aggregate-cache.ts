import type { RunId } from '@delta-ci/contracts';
import type { RunAggregate } from '@delta-ci/domain';

/** A run as folded up to a version of its stream. */
export interface FoldedRun {
  readonly version: number;
  readonly aggregate: RunAggregate;
}

/**
 * Runs folded earlier, least recently used first out. Only what was committed enters; a reader checks the version
 * against the locked stream, so an entry may be behind but never wrong.
 */
export class AggregateCache {
  readonly #eventsMax: number;
  readonly #runs = new Map<RunId, FoldedRun>();
  #events = 0;

  /** `eventsMax` bounds the sum of versions: what a folded run weighs grows with the events that made it. */
  constructor(eventsMax: number) {
    this.#eventsMax = eventsMax;
  }

  get(runId: RunId): FoldedRun | undefined {
    const run = this.#runs.get(runId);
    if (run === undefined) return undefined;
    this.#runs.delete(runId);
    this.#runs.set(runId, run);
    return run;
  }

  set(runId: RunId, run: FoldedRun): void {
    this.#remove(runId);
    this.#runs.set(runId, run);
    this.#events += run.version;
    for (const oldest of this.#runs.keys()) {
      if (this.#events <= this.#eventsMax || oldest === runId) break;
      this.#remove(oldest);
    }
  }

  #remove(runId: RunId): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    this.#runs.delete(runId);
    this.#events -= run.version;
  }
}
