import { join } from 'node:path';
import { removeForsakenDirectories } from '@delta-ci/git';
import { reapLeftovers } from '@delta-ci/sandbox';
import type { Surroundings } from '../surroundings.ts';
import { cacheHome } from './bubblewrap-path.ts';

export const RUN_PREFIX = 'run';

/** Where sources and workspaces of local runs are while they are needed, a directory for each process. */
export const runsDirectory = (surroundings: Surroundings): string => join(cacheHome(surroundings), 'local', 'runs');

/**
 * Undoes what a `delta` left that was killed: its sandboxes first, then the directories they worked in. While anything of
 * a sandbox resists, its process could still choose what is deleted: then the directories wait for the next start.
 */
export async function clearLeftovers(surroundings: Surroundings, sandboxesDir: string): Promise<void> {
  const { leftovers } = await reapLeftovers(sandboxesDir);
  if (leftovers.length === 0) await removeForsakenDirectories(runsDirectory(surroundings), RUN_PREFIX);
}
