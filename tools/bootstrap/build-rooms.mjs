// @ts-check
import { join } from 'node:path';
import { createProgress } from './progress.mjs';
import { runInForeground } from './run-in-foreground.mjs';

/**
 * Compiles every room, and tells how it went: whole systems start services as they are built.
 *
 * @param {string} repoRoot
 * @returns {Promise<number>} the compiler's exit code
 */
export function buildRooms(repoRoot) {
  return createProgress().step('build', async (say) => {
    const code = await runInForeground([join(repoRoot, 'node_modules', '.bin', 'tsc'), '-b'], process.env);
    say(code === 0 ? 'all rooms' : `tsc ended with ${code}`);
    return code;
  });
}
