import type { ArtifactStore } from '@delta-ci/artifact-store';
import type { AttemptRef } from '@delta-ci/contracts';
import type { Logger } from '@delta-ci/service';

/** Logs that wait to be archived; the sweep finds those that did not get a place. */
const WAITING_MAX = 1_000;
/** A log that was written to just now has somebody who ends it. */
const IDLE_MS = 10 * 60_000;

export interface LogCloserParts {
  readonly store: Pick<ArtifactStore, 'logs'>;
  /** Whether an attempt is over: nobody adds to its log any more. */
  readonly isOver: (attempt: AttemptRef) => Promise<boolean>;
  readonly logger: Logger;
}

/**
 * Archives the logs of attempts that are over, one after the other: compressing costs a core some milliseconds for each megabyte,
 * and nobody waits for it. What fails, or is lost with the process, is found by the sweep, which goes one by one beside that.
 */
export class LogCloser {
  readonly #parts: LogCloserParts;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #ended = false;

  constructor(parts: LogCloserParts) {
    this.#parts = parts;
  }

  /**
   * Archives the log of an attempt, soon.
   * @param which tells the attempt when its turn has come; null when it is not over after all
   */
  closeSoon(which: () => Promise<AttemptRef | null>): void {
    if (this.#waiting >= WAITING_MAX) return;
    this.#waiting += 1;
    this.#last = this.#closeAfter(this.#last, which);
  }

  /** Archives logs that nobody writes to any more and whose attempts are over. Answers how many. */
  async sweep(nowMs: number): Promise<number> {
    let archived = 0;
    for await (const attempt of this.#parts.store.logs.idleSince(nowMs - IDLE_MS)) {
      if (this.#ended) break;
      const isArchived = await this.#archive(async () => ((await this.#parts.isOver(attempt)) ? attempt : null));
      if (isArchived) archived += 1;
    }
    return archived;
  }

  /** Waits for the log that is being archived; those behind it are left to the sweep. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  async #closeAfter(before: Promise<void>, which: () => Promise<AttemptRef | null>): Promise<void> {
    await before;
    this.#waiting -= 1;
    if (!this.#ended) await this.#archive(which);
  }

  /** One log that cannot be archived keeps no other from it. */
  async #archive(which: () => Promise<AttemptRef | null>): Promise<boolean> {
    const { store, logger } = this.#parts;
    try {
      const attempt = await which();
      return attempt !== null && (await store.logs.archive(attempt));
    } catch (error) {
      logger.warn({ event: 'log-not-archived', err: error }, 'the log stays as it is until the sweep tries again');
      return false;
    }
  }
}
