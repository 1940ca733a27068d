// @ts-check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRooms, runInForeground } from '../../tools/bootstrap/index.mjs';

const repoRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds everything, since it is the services as they are built that are hurt, then plays.
 *
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function buildAndPlay(args) {
  const built = await buildRooms(repoRoot);
  if (built !== 0) return built;
  return runInForeground([process.execPath, join(repoRoot, 'test', 'faults', 'main.ts'), ...args], process.env);
}

process.exitCode = await buildAndPlay(process.argv.slice(2));
