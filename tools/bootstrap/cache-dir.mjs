// @ts-check
import { access, chmod, constants, lstat, mkdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { barrierOnTheWayTo } from './server-account.mjs';
import { SetupProblem } from './setup-problem.mjs';

/**
 * Opens the directory that keeps what was once fetched: per user rather than per clone, so a second clone is quick
 * and works offline. `DELTA_CACHE_HOME` names another one.
 *
 * @param {{ repoRoot: string, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<string>}
 */
export async function openCache({ repoRoot, env = process.env }) {
  const candidates = cacheCandidates({ env, home: homedir(), platform: process.platform, repoRoot });
  return firstUsable(candidates, 0o700);
}

/**
 * Opens a place for binaries that a server of another account must run: the cache itself when that account can get
 * there, else a system directory that only root writes. Root's home is usually closed to others.
 *
 * @param {string} cacheDir
 * @param {import('./server-account.mjs').Account | null} account null: it runs as ourselves
 */
export async function openCacheFor(cacheDir, account) {
  if (account === null) return cacheDir;
  const open = [];
  for (const dir of [cacheDir, '/var/cache/delta-ci', join(tmpdir(), 'delta-ci-root'), '/var/tmp/delta-ci-root']) {
    if ((await barrierOnTheWayTo(dir, account)) === null) open.push(dir);
  }
  return firstUsable(open, 0o755);
}

/**
 * @param {{ env: NodeJS.ProcessEnv, home: string, platform: NodeJS.Platform, repoRoot: string }} machine
 * @returns {string[]} best first
 */
export function cacheCandidates({ env, home, platform, repoRoot }) {
  const named = env['DELTA_CACHE_HOME'];
  if (named !== undefined && named !== '') return [named];
  const xdg = env['XDG_CACHE_HOME'];
  const byHome = platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache');
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : byHome;
  return [join(base, 'delta-ci'), join(repoRoot, '.delta', 'cache')];
}

/** @param {readonly string[]} dirs @param {number} mode */
async function firstUsable(dirs, mode) {
  for (const dir of dirs) {
    if (await isUsable(dir, mode)) return dir;
  }
  throw new SetupProblem(
    `no cache directory can be written (tried ${dirs.join(', ')})`,
    'set DELTA_CACHE_HOME to one that can',
  );
}

/**
 * Programs are run from there, so it must be ours: somebody else could have made a directory of that name in a place
 * where everybody may write.
 *
 * @param {string} dir
 * @param {number} mode
 */
async function isUsable(dir, mode) {
  if (!isAbsolute(dir)) return false;
  try {
    const created = await mkdir(dir, { recursive: true });
    if (created !== undefined) await chmod(dir, mode);
    const found = await lstat(dir);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) return false;
    await access(dir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
