import { rm } from 'node:fs/promises';
import type { Logger } from '@delta-ci/service';
import { makeJobDirectory, type JobDirectory } from './job-directory.ts';

/**
 * What an attempt leaves on this host. It is removed when the attempt is reported: nothing of the job is alive by then, nobody
 * else gets its place, and whoever waits for a verdict need not wait until a large workspace is deleted.
 */
export class Leavings {
  readonly #jobDir: JobDirectory;
  readonly #logger: Logger;
  #removeSandbox: () => Promise<readonly string[]> = () => Promise.resolve([]);

  constructor(jobDir: JobDirectory, logger: Logger) {
    this.#jobDir = jobDir;
    this.#logger = logger;
  }

  async makeDirectory(): Promise<void> {
    await makeJobDirectory(this.#jobDir);
  }

  /** A sandbox in which nothing lives any more. @param remove answers what of it could not be removed */
  take(remove: () => Promise<readonly string[]>): void {
    this.#removeSandbox = remove;
  }

  /** What resists does not change the job's verdict; the next runner in this place removes it. */
  async remove(): Promise<void> {
    const { directory } = this.#jobDir;
    try {
      const leftovers = await this.#removeSandbox();
      if (leftovers.length > 0) this.#logger.warn({ event: 'sandbox-not-removed', leftovers });
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn({ event: 'directory-not-removed', directory, err: error });
    }
  }
}
