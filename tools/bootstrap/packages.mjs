// @ts-check
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock-file.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** A cold install over a slow line; npm itself gives up on a dead one much earlier. */
const INSTALL_LIMIT_MS = 15 * 60_000;

/** @typedef {'current' | 'outdated' | 'missing'} PackagesState */
/** @typedef {{ version?: string, link?: boolean, optional?: boolean, dev?: boolean }} LockEntry */
/** @typedef {{ packages?: Record<string, LockEntry> }} Lock */

/**
 * Installs the packages of the lock file unless they are there already. Two set-ups of one clone take turns, and
 * the second finds everything done.
 *
 * @param {{ repoRoot: string, progress: import('./progress.mjs').Progress }} where
 */
export async function ensurePackages({ repoRoot, progress }) {
  await progress.step('packages', async (say) => {
    if ((await packagesState(repoRoot)) === 'current') return say('up to date');
    await withLock(join(repoRoot, '.delta', 'packages.lock'), async () => {
      const state = await packagesState(repoRoot);
      if (state === 'current') return say('installed by another set-up');
      say(`${state}: installing...`);
      await install(repoRoot);
      say('installed from package-lock.json');
    });
  });
}

/**
 * What the lock file asks for against what is there. The installed tree counts as current when our own record names
 * this very lock file, or when npm's record of the tree lists the same versions (somebody ran npm by hand).
 *
 * @param {string} repoRoot
 * @returns {Promise<PackagesState>}
 */
export async function packagesState(repoRoot) {
  const wanted = await readFile(join(repoRoot, 'package-lock.json'), 'utf8').catch(() => null);
  if (wanted === null) throw new SetupProblem(`no package-lock.json in ${repoRoot}`, 'start from a complete clone');
  const tree = await readFile(treeRecord(repoRoot), 'utf8').catch(() => null);
  if (tree === null) return 'missing';
  const recorded = await readFile(ownRecord(repoRoot), 'utf8').catch(() => null);
  if (recorded === installedMark(wanted)) return 'current';
  return treeMatchesLock(parseLock(wanted), parseLock(tree)) ? 'current' : 'outdated';
}

/**
 * Whether every package of the lock file is in the installed tree with that version. Optional ones may be absent: they
 * are binaries of other platforms.
 *
 * @param {Lock} lock
 * @param {Lock} tree npm's hidden lock file
 */
export function treeMatchesLock(lock, tree) {
  const installed = tree.packages ?? {};
  return Object.entries(lock.packages ?? {})
    .filter(([path, entry]) => path !== '' && entry.link !== true)
    .every(([path, entry]) => {
      const found = installed[path];
      return found === undefined ? entry.optional === true : found.version === entry.version;
    });
}

/** @param {string} repoRoot */
async function install(repoRoot) {
  const { command, args } = npmCommand(process.env['npm_execpath']);
  const options = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = await runCommand(command, [...args, ...options], { cwd: repoRoot, timeout_ms: INSTALL_LIMIT_MS });
  if (result.code === 127)
    throw new SetupProblem('npm is not on PATH', 'install Node with npm from https://nodejs.org');
  if (result.code !== 0) {
    const reason = npmReason(result.stderr === '' ? result.stdout : result.stderr);
    throw new SetupProblem(`npm ci failed (${reason})`, 'run `npm ci` to see all of its output');
  }
  const wanted = await readFile(join(repoRoot, 'package-lock.json'), 'utf8');
  await writeFile(ownRecord(repoRoot), installedMark(wanted));
}

/**
 * npm names its own script when it runs ours; that one is used again, whatever else is on PATH.
 *
 * @param {string | undefined} execPath
 */
export function npmCommand(execPath) {
  const isNpm = execPath !== undefined && /npm-cli\.c?js$/.test(execPath);
  return isNpm ? { command: process.execPath, args: [execPath] } : { command: 'npm', args: [] };
}

/**
 * The line of npm's output that says why: the first of its error lines that is a sentence, not a field of the error or
 * the name of a log file.
 *
 * @param {string} output
 */
export function npmReason(output) {
  const errors = output.split('\n').filter((line) => /^npm (error|ERR!)/.test(line));
  const sentences = errors
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        !/^(code|errno|syscall|path|dest|signal|command) |complete log of this run|^\S+\.log$/.test(line),
    );
  return sentences[0] ?? lastLine(output);
}

/** @param {string} lockText */
function installedMark(lockText) {
  return `${createHash('sha256').update(lockText).digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** @param {string} text @returns {Lock} */
function parseLock(text) {
  return JSON.parse(text);
}

/** @param {string} repoRoot */
const ownRecord = (repoRoot) => join(repoRoot, 'node_modules', '.delta-packages');
/** @param {string} repoRoot */
const treeRecord = (repoRoot) => join(repoRoot, 'node_modules', '.package-lock.json');
