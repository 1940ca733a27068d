import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeProcessDirectory } from '@delta-ci/git';
import { errorMessage } from '../error-code.ts';
import type { Surroundings } from '../surroundings.ts';
import { RUN_PREFIX, runsDirectory, WHAT_TO_DO } from './machine/leftovers.ts';

/** Answers what could not be removed, or is alive. */
type Removal = () => Promise<readonly string[]>;

/** Where a local run is carried out: its source, and a directory for each of its jobs. */
export class RunDirectory {
  readonly path: string;
  readonly #left: string[] = [];

  constructor(path: string) {
    this.path = path;
  }

  async forJob(): Promise<string> {
    return mkdtemp(join(this.path, 'job-'));
  }

  /**
   * Removes what a job left, and then its directory: where something is alive or mounted, or may be, nothing is deleted, because a
   * process that lives could choose what. What resists changes no verdict, and is told when the run is over.
   */
  async clear(jobDirectory: string, removals: readonly Removal[]): Promise<void> {
    try {
      const left = (await Promise.all(removals.map(async (remove) => remove()))).flat();
      this.#left.push(...left);
      if (left.length === 0) await rm(jobDirectory, { recursive: true, force: true });
    } catch (error) {
      this.#left.push(errorMessage(error));
    }
  }

  /** Removes all of it, unless a job left something below. Answers what did. */
  async remove(): Promise<readonly string[]> {
    if (this.#left.length > 0) return this.#left;
    try {
      await rm(this.path, { recursive: true, force: true });
      return [];
    } catch (error) {
      return [errorMessage(error)];
    }
  }
}

/** Sandboxes may run as other users, who have to pass through to their workspace and to the source. */
export async function inRunDirectory<T>(
  surroundings: Surroundings,
  use: (directory: RunDirectory) => Promise<T>,
): Promise<T> {
  const parent = runsDirectory(surroundings);
  await mkdir(parent, { recursive: true, mode: 0o711 });
  const directory = new RunDirectory(await makeProcessDirectory(parent, RUN_PREFIX));
  await chmod(directory.path, 0o711);
  try {
    return await use(directory);
  } finally {
    const left = await directory.remove();
    if (left.length > 0) surroundings.err(stays(directory.path, left));
  }
}

const stays = (path: string, left: readonly string[]): string =>
  `Not everything that jobs left could be removed (${left.join(', ')}): it stays in ${path}\n${WHAT_TO_DO}\n`;
