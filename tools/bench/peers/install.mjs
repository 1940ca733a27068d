// @ts-check
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../bootstrap/run-command.mjs';
import { SetupProblem } from '../../bootstrap/setup-problem.mjs';

const HERE = import.meta.dirname;
/** A quarter of a gigabyte over a slow line. */
const INSTALL_LIMIT_MS = 10 * 60_000;

/** Installs the peers beside the product, as their own lock file says; nothing of it runs anything. */
export async function installPeers() {
  if (await isInstalled()) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, stderr } = await runCommand('npm', args, { cwd: HERE, timeout_ms: INSTALL_LIMIT_MS });
  if (code !== 0) throw new SetupProblem(`the peers cannot be installed (${stderr.trim().slice(-300)})`, 'go online');
}

/** npm keeps what it installed as a lock file of its own. */
async function isInstalled() {
  const installed = join(HERE, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const [wanted, has] = await Promise.all([packagesIn(join(HERE, 'package-lock.json')), packagesIn(installed)]);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || has[path]?.version === version,
  );
}

/** @param {string} file @returns {Promise<Record<string, { version?: string, optional?: boolean }>>} */
async function packagesIn(file) {
  /** @type {{ packages: Record<string, { version?: string, optional?: boolean }> }} */
  const { packages } = JSON.parse(await readFile(file, 'utf8'));
  return packages;
}
