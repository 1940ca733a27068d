// @ts-check
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRooms, runInForeground } from '../bootstrap/index.mjs';

const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {string} name */
const program = (name) => join(repoRoot, 'node_modules', '.bin', name);

/**
 * Builds everything (whole tests start real services from what is built), then runs Jest with the arguments given.
 * Jest's own set-up and teardown own the servers.
 *
 * @param {readonly string[]} jestArguments
 * @returns {Promise<number>} exit code
 */
async function buildAndTest(jestArguments) {
  const built = await buildRooms(repoRoot);
  if (built !== 0) return built;
  // Jest loads native ES modules only under this flag; Node calls it experimental in every process that has it.
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const options = [process.env['NODE_OPTIONS'] ?? '', ...flags].join(' ').trim();
  const mode = process.env['CI'] === undefined ? [] : ['--ci'];
  return runInForeground([program('jest'), ...mode, ...jestArguments], { ...process.env, NODE_OPTIONS: options });
}

process.exitCode = await buildAndTest(process.argv.slice(2));
