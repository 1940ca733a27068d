// @ts-check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRooms, runInForeground } from '../bootstrap/index.mjs';

const repoRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds everything, since what is measured are the services as they are built, then measures.
 *
 * @param {readonly string[]} benchArguments
 * @returns {Promise<number>} exit code
 */
async function buildAndMeasure(benchArguments) {
  const built = await buildRooms(repoRoot);
  if (built !== 0) return built;
  return runInForeground(
    [process.execPath, join(repoRoot, 'tools', 'bench', 'main.ts'), ...benchArguments],
    process.env,
  );
}

process.exitCode = await buildAndMeasure(process.argv.slice(2));
