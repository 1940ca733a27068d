import { rm } from 'node:fs/promises';
import type { Logger } from '@delta-ci/service';
import { endsInTime } from './ends-in-time.ts';
import { makeJobDirectory, type JobDirectory } from './job-directory.ts';

/** Answers what could not be removed, or is alive. */
type Removal = () => Promise<readonly string[]>;

/** For whoever reads that something of a job resisted. */
const WHAT_TO_DO = 'kill or unmount what is named: the next runner that starts in this data directory tries again';

/**
 * What an attempt leaves on this host. It is removed when the attempt is reported: nobody else gets its place, and whoever waits
 * for a verdict need not wait until a large workspace is deleted. Where something is alive or mounted, or may be, nothing is deleted:
 * a process that lives could choose what. The next runner in this place tries again, and also where it takes too long.
 */
export class Leavings {
  readonly jobDir: JobDirectory;
  readonly #logger: Logger;
  readonly #removals: Removal[] = [];
  readonly #timeMs: number | undefined;
  #resisted = false;

  /** @param timeMs how long each removal may take; left out, what is usual */
  constructor(jobDir: JobDirectory, logger: Logger, timeMs?: number) {
    this.jobDir = jobDir;
    this.#logger = logger;
    this.#timeMs = timeMs;
  }

  async makeDirectory(): Promise<void> {
    await makeJobDirectory(this.jobDir);
  }

  /** To be removed before the directory is. */
  take(remove: Removal): void {
    this.#removals.push(remove);
  }

  /** Any number of times. What resists changes no verdict, and is told in this runner's own log alone. */
  async remove(): Promise<void> {
    const { directory } = this.jobDir;
    if (!(await endsInTime(this.#removeAll(), directory, this.#logger, this.#timeMs))) this.#resisted = true;
  }

  async #removeAll(): Promise<void> {
    for (const remove of this.#removals.splice(0)) if (!(await this.#isGone(remove))) this.#resisted = true;
    if (this.#resisted) return;
    const { directory } = this.jobDir;
    try {
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn({ event: 'directory-not-removed', directory, err: error });
    }
  }

  async #isGone(remove: Removal): Promise<boolean> {
    try {
      const leftovers = await remove();
      if (leftovers.length > 0) this.#logger.warn({ event: 'sandbox-not-removed', leftovers }, WHAT_TO_DO);
      return leftovers.length === 0;
    } catch (error) {
      this.#logger.warn({ event: 'sandbox-not-removed', err: error }, WHAT_TO_DO);
      return false;
    }
  }
}
