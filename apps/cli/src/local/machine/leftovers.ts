import { join } from 'node:path';
import { removeForsakenDirectories } from '@delta-ci/git';
import { isHeld, reapLeftovers } from '@delta-ci/sandbox';
import type { Surroundings } from '../../surroundings.ts';
import { cacheHome } from './bubblewrap-path.ts';

export const RUN_PREFIX = 'run';

/** Where sources and workspaces of local runs are while they are needed, a directory for each process. */
export const runsDirectory = (surroundings: Surroundings): string => join(cacheHome(surroundings), 'local', 'runs');

/**
 * Undoes what a `delta` left that was killed: its sandboxes first, then the directories they worked in. While anything of
 * a sandbox resists, its process could still choose what is deleted: then the directory of its run waits for the next start.
 */
export async function clearLeftovers(surroundings: Surroundings, sandboxesDir: string): Promise<void> {
  const { leftovers } = await reapLeftovers(sandboxesDir);
  const { left } = await removeForsakenDirectories(runsDirectory(surroundings), RUN_PREFIX, async (path) =>
    isHeld(path, leftovers),
  );
  const stays = [...leftovers.flatMap(({ resists }) => resists), ...left.map(({ path, why }) => `${path}: ${why}`)];
  if (stays.length > 0) surroundings.err(`Of an earlier run something is left: ${stays.join(', ')}\n${WHAT_TO_DO}\n`);
}

/** For people, where something of a job could not be removed. */
export const WHAT_TO_DO = 'Kill, unmount or remove what is named; the next `delta run` does the rest.';
