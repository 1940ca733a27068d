// @ts-check
import { readFile, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureCluster, reachableDir, serverEnvironment } from './postgres-cluster.mjs';
import { accountFor } from './server-account.mjs';
import { onLoopbackPort, startServerProcess } from './server-process.mjs';

/**
 * @typedef {object} PostgresServer
 * @property {string} url of the database asked for, as its superuser
 * @property {string} superuserUrl of the maintenance database `postgres`
 * @property {number} port
 * @property {string} dir where everything is: elsewhere than asked when the server's account cannot get there
 * @property {string} logFile
 * @property {number} pid
 * @property {Promise<void>} exited
 * @property {() => boolean} isRunning
 * @property {() => Promise<void>} stop disconnects everybody, writes everything, ends
 * @property {() => Promise<void>} kill ends it with SIGKILL, as a crash would
 */

/**
 * Starts Postgres on 127.0.0.1, creating its directory (data, password, log) on the first start. Started by root, the
 * server runs as the directory's owner or `nobody`, because it refuses root. It ends with our process, however that
 * ends.
 *
 * @param {object} options
 * @param {string} options.binDir from `ensurePostgresBinaries`
 * @param {string} options.dir
 * @param {number} [options.port] a free one by default
 * @param {string} [options.database] created with the directory; `postgres` by default
 * @param {boolean} [options.ephemeral] for data nobody needs afterwards: does not wait for the disk, and the directory
 *   is deleted by `stop` or when our process dies
 * @param {Readonly<Record<string, string>>} [options.settings] on top of ours
 * @returns {Promise<PostgresServer>}
 */
export async function startPostgres({
  binDir,
  dir: wanted,
  port: wantedPort,
  database,
  ephemeral = false,
  settings = {},
}) {
  const account = await accountFor(wanted);
  const dir = await reachableDir(wanted, account);
  const { dataDir, password } = await ensureCluster({ binDir, dir, account, database, durable: !ephemeral });
  const logFile = join(dir, 'postgres.log');
  const { started: server, port } = await onLoopbackPort(wantedPort, (onPort) =>
    startServerProcess({
      name: 'Postgres',
      command: join(binDir, 'postgres'),
      args: serverArguments({ dataDir, port: onPort, durable: !ephemeral, settings }),
      env: serverEnvironment(),
      logFile,
      account,
      isReady: (pid) => isReady(dataDir, pid),
      stopSignals: ['SIGINT', 'SIGQUIT'], // to Postgres these mean: fast shutdown, immediate shutdown
      removeDirOnDeath: ephemeral ? dir : undefined,
    }),
  );
  const urlOf = (/** @type {string} */ name) => `postgresql://postgres:${password}@127.0.0.1:${port}/${name}`;
  const stop = async () => {
    await server.stop();
    if (!ephemeral) return;
    await rm(dir, { recursive: true, force: true });
    if (dir !== wanted) await rmdir(dirname(dir)).catch(() => {}); // ours, and in use by others unless it is empty
  };
  return { ...server, url: urlOf(database ?? 'postgres'), superuserUrl: urlOf('postgres'), port, dir, logFile, stop };
}

/**
 * Postgres writes its state as the eighth line of its pid file.
 *
 * @param {string} dataDir
 * @param {number} pid
 */
async function isReady(dataDir, pid) {
  const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

/**
 * The server's command line: loopback only, no socket files, nothing kept outside the data directory.
 *
 * @param {{ dataDir: string, port: number, durable: boolean, settings: Readonly<Record<string, string>> }} server
 * @returns {string[]}
 */
export function serverArguments({ dataDir, port, durable, settings }) {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200', // nine services with pools of ten, twice over, and room for a person
    shared_buffers: '128MB', // Postgres's default; initdb lowers it where it finds little shared memory
    dynamic_shared_memory_type: 'mmap', // kept in the data directory, so that a crash leaves nothing elsewhere
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...settings,
  };
  return ['-D', dataDir, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
