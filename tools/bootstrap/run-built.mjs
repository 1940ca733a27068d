// @ts-check
import { join } from 'node:path';
import { createProgress } from './progress.mjs';
import { runInForeground } from './run-in-foreground.mjs';

/**
 * Compiles every room, since whole systems start services as they are built, then runs a command in our place.
 *
 * @param {string} repoRoot
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} the command's exit code, or the compiler's when that was not 0
 */
export async function runBuilt(repoRoot, command, env = process.env) {
  const built = await buildRooms(repoRoot);
  return built === 0 ? runInForeground(command, env) : built;
}

/** @param {string} repoRoot @returns {Promise<number>} */
function buildRooms(repoRoot) {
  return createProgress().step('build', async (say) => {
    const code = await runInForeground([join(repoRoot, 'node_modules', '.bin', 'tsc'), '-b'], process.env);
    say(code === 0 ? 'all rooms' : `tsc ended with ${code}`);
    return code;
  });
}
