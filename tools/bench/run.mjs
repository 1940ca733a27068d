// @ts-check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgress, runInForeground } from '../bootstrap/index.mjs';

const repoRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds everything, since what is measured are the services as they are built, then measures.
 *
 * @param {readonly string[]} benchArguments
 * @returns {Promise<number>} exit code
 */
async function buildAndMeasure(benchArguments) {
  const built = await createProgress().step('build', async (say) => {
    const code = await runInForeground([join(repoRoot, 'node_modules', '.bin', 'tsc'), '-b'], process.env);
    say(code === 0 ? 'all rooms' : `tsc ended with ${code}`);
    return code;
  });
  if (built !== 0) return built;
  return runInForeground(
    [process.execPath, join(repoRoot, 'tools', 'bench', 'main.ts'), ...benchArguments],
    process.env,
  );
}

process.exitCode = await buildAndMeasure(process.argv.slice(2));
