// @ts-check
import { join } from 'node:path';
import { findProgram, isExecutableFile } from './find-program.mjs';
import { runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { isAtLeast, versionIn } from './versions.mjs';

/** The first Node whose ES module support under Jest loads the services. */
export const LEAST_NODE = '24.9';

/** @typedef {{ path: string, version: string, from: 'npm' | 'this process' | 'PATH' }} NodeRuntime */

/**
 * The Node that everything runs on: the one npm carries for Linux, else the machine's own when it is new enough.
 *
 * @param {{ repoRoot: string, progress: import('./progress.mjs').Progress }} where
 * @returns {Promise<NodeRuntime>}
 */
export function ensureNode({ repoRoot, progress }) {
  return progress.step('node', async (say) => {
    const found = await findNode(repoRoot);
    if (found === null) {
      const own = `this is ${process.versions.node} and npm carries none for ${process.platform}-${process.arch}`;
      throw new SetupProblem(
        `Node ${LEAST_NODE} or newer is needed, ${own}`,
        'install Node 24 from https://nodejs.org',
      );
    }
    say(`${found.version} from ${found.from}`);
    return found;
  });
}

/** @param {string} repoRoot @returns {Promise<NodeRuntime | null>} */
export async function findNode(repoRoot) {
  const carried = join(repoRoot, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (await isExecutableFile(carried)) {
    // It is built for glibc: on a machine with another C library it exists and does not start.
    const version = await versionOf(carried);
    if (version !== null && isAtLeast(version, LEAST_NODE)) return { path: carried, version, from: 'npm' };
  }
  if (isAtLeast(process.versions.node, LEAST_NODE)) {
    return { path: process.execPath, version: process.versions.node, from: 'this process' };
  }
  const onPath = await findProgram('node');
  const version = onPath === null ? null : await versionOf(onPath);
  if (onPath === null || version === null || !isAtLeast(version, LEAST_NODE)) return null;
  return { path: onPath, version, from: 'PATH' };
}

/** @param {string} path */
async function versionOf(path) {
  const { code, stdout } = await runCommand(path, ['--version'], { timeout_ms: 10_000 });
  return code === 0 ? versionIn(stdout) : null;
}
