// @ts-check
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from './lock-file.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { barrierOnTheWayTo } from './server-account.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { versionIn } from './versions.mjs';

/** initdb takes one to two seconds; on an overloaded machine with a slow disk far more. */
const INIT_LIMIT_MS = 120_000;

/** @typedef {import('./server-account.mjs').Account} Account */

/**
 * The directory asked for, or one named after it in a place the server's account can get to: root's home and what
 * `mktemp -d` makes are closed to others.
 *
 * @param {string} wanted
 * @param {Account | null} account null: the server runs as ourselves
 * @returns {Promise<string>}
 */
export async function reachableDir(wanted, account) {
  if (account === null || (await barrierOnTheWayTo(dirname(wanted), account)) === null) return wanted;
  const name = `postgres-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`;
  for (const base of ['/var/lib/delta-ci', '/var/tmp/delta-ci-root']) {
    if ((await barrierOnTheWayTo(base, account)) !== null) continue;
    if (await canMake(base)) return join(base, name);
  }
  throw new SetupProblem(
    `Postgres runs as ${account.name}, who cannot get to ${wanted}`,
    'keep the data in a directory open to all',
  );
}

/** @param {string} dir */
async function canMake(dir) {
  try {
    if ((await mkdir(dir, { recursive: true })) !== undefined) await chmod(dir, 0o755);
    return true;
  } catch {
    return false;
  }
}

/**
 * Makes the directory a complete cluster, once: `data`, and the superuser's password beside it. It appears whole or
 * not at all, and a directory that somebody else filled is refused rather than emptied.
 *
 * @param {{ binDir: string, dir: string, account: Account | null, database: string | undefined, durable: boolean }}
 *   cluster
 * @returns {Promise<{ dataDir: string, password: string }>}
 */
export async function ensureCluster(cluster) {
  const { dir, account } = cluster;
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o700);
  await giveTo(account, dir);
  const dataDir = join(dir, 'data');
  const passwordFile = join(dir, 'superuser-password');
  await withLock(`${dir}.lock`, async () => {
    const present = await readdir(dataDir).catch(() => null);
    if (present === null) return createCluster(cluster, { dataDir, passwordFile });
    await refuseForeignData(cluster, { dataDir, passwordFile });
  });
  return { dataDir, password: await readFile(passwordFile, 'utf8') };
}

/**
 * @param {{ binDir: string, account: Account | null, database: string | undefined, durable: boolean }} cluster
 * @param {{ dataDir: string, passwordFile: string }} files
 */
async function createCluster({ binDir, account, database, durable }, { dataDir, passwordFile }) {
  const draft = `${dataDir}.creating`;
  await rm(draft, { recursive: true, force: true });
  const password = randomBytes(18).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveTo(account, passwordFile);
  const args = [
    '-D',
    draft,
    '-U',
    'postgres',
    '-E',
    'UTF8',
    '--no-locale',
    '-A',
    'scram-sha-256',
    `--pwfile=${passwordFile}`,
  ];
  await mustSucceed(join(binDir, 'initdb'), durable ? args : [...args, '--no-sync'], { account, input: '' });
  if (database !== undefined) await createDatabase({ binDir, dataDir: draft, account, database });
  await rename(draft, dataDir);
}

/**
 * There is no client program among the carried binaries; a server without clients takes statements from its standard
 * input.
 *
 * @param {{ binDir: string, dataDir: string, account: Account | null, database: string }} where
 */
async function createDatabase({ binDir, dataDir, account, database }) {
  if (!/^[a-z_][a-z0-9_]*$/.test(database)) throw new Error(`not a database name: ${database}`);
  const args = ['--single', '-D', dataDir, '-j', 'postgres'];
  await mustSucceed(join(binDir, 'postgres'), args, { account, input: `CREATE DATABASE ${database};\n\n` });
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ account: Account | null, input: string }} options
 */
async function mustSucceed(command, args, { account, input }) {
  const as = account === null ? {} : { uid: account.uid, gid: account.gid };
  const options = { cwd: '/', env: serverEnvironment(), input, timeout_ms: INIT_LIMIT_MS, ...as };
  const { code, stderr } = await runCommand(command, args, options);
  if (code === 0 && !/\b(ERROR|FATAL):/.test(stderr)) return;
  const reason = stderr.split('\n').find((line) => /error:|ERROR:|FATAL:/.test(line)) ?? lastLine(stderr);
  throw new SetupProblem(`${command} failed (${reason})`, 'set DATABASE_URL to use a Postgres of your own');
}

/**
 * @param {{ binDir: string, dir: string }} cluster
 * @param {{ dataDir: string, passwordFile: string }} files
 */
async function refuseForeignData({ binDir, dir }, { dataDir, passwordFile }) {
  const made = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(() => null);
  const password = await readFile(passwordFile, 'utf8').catch(() => null);
  if (made === null || password === null) {
    throw new SetupProblem(`${dir} was not made by this set-up`, 'move it away or choose another directory');
  }
  const { stdout } = await runCommand(join(binDir, 'postgres'), ['--version'], { cwd: '/' });
  const major = (versionIn(stdout) ?? '').split('.')[0];
  if (major === made.trim()) return;
  throw new SetupProblem(
    `${dir} was made by Postgres ${made.trim()}, this is ${major}`,
    'remove it or set DELTA_POSTGRES_BIN',
  );
}

/** @param {Account | null} account @param {string} path */
async function giveTo(account, path) {
  if (account !== null) await chown(path, account.uid, account.gid);
}

/** Nothing of ours: a stray PGDATA or PGPORT must not reach the server. */
export function serverEnvironment() {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
