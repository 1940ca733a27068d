// @ts-check
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { treeMatchesLock } from './packages.mjs';
import { runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** A quarter of a gigabyte over a slow line. */
const INSTALL_LIMIT_MS = 10 * 60_000;

/**
 * Installs the packages of a folder that has a package.json and a lock file of its own, beside the product's and as its lock
 * file says; nothing of them runs anything. Does nothing when they are there.
 *
 * @param {string} folder
 * @param {string} what they are, for messages: `the peers`
 * @throws {SetupProblem} when they cannot be had
 */
export async function installBeside(folder, what) {
  if (await isInstalled(folder)) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, stderr } = await runCommand('npm', args, { cwd: folder, timeout_ms: INSTALL_LIMIT_MS });
  if (code !== 0) throw new SetupProblem(`${what} cannot be installed (${stderr.trim().slice(-300)})`, 'go online');
}

/** npm keeps what it installed as a lock file of its own. @param {string} folder */
async function isInstalled(folder) {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const [wanted, has] = await Promise.all([join(folder, 'package-lock.json'), installed].map(lockIn));
  return wanted !== undefined && has !== undefined && treeMatchesLock(wanted, has);
}

/** @param {string} file @returns {Promise<import('./packages.mjs').Lock>} */
async function lockIn(file) {
  return JSON.parse(await readFile(file, 'utf8'));
}
