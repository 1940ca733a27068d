import type { EpochMs, RunnerId } from '@delta-ci/contracts';

/**
 * Longer than a request for work waits. A runner whose controller crashed takes no further lease, but may be given one by the request
 * that is under way: only when it has had no job for so long is nothing taken away from anybody.
 */
export const FORSAKEN_AFTER_MS = 60_000;

/** Registered runners that nobody provisions any more, by how long they were seen without a job. */
export class ForsakenRunners {
  #idleSinceMs: ReadonlyMap<RunnerId, EpochMs> = new Map();

  /**
   * Those that are to be written off now.
   * @param idle runners without a job that nobody here provisions; one that is missing has a job by now, or is gone
   */
  among(idle: readonly RunnerId[], nowMs: EpochMs): RunnerId[] {
    this.#idleSinceMs = new Map(idle.map((id) => [id, this.#idleSinceMs.get(id) ?? nowMs]));
    return idle.filter((id) => nowMs - (this.#idleSinceMs.get(id) ?? nowMs) > FORSAKEN_AFTER_MS);
  }
}
