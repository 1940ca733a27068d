// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { onLoopbackPort, startServerProcess } from './server-process.mjs';

/** A local server greets at once; a connection that says nothing for so long is not one. */
const GREETING_LIMIT_MS = 1_000;

/**
 * @typedef {object} NatsServer
 * @property {string} url
 * @property {number} port
 * @property {string} dir
 * @property {string} logFile
 * @property {string} storeDir JetStream's files
 * @property {number} pid
 * @property {Promise<void>} exited
 * @property {() => boolean} isRunning
 * @property {() => Promise<void>} stop
 * @property {() => Promise<void>} kill ends it with SIGKILL, as a crash would
 */

/**
 * Starts nats-server with JetStream on 127.0.0.1; ready in 30-40 ms. It ends with our process, however that ends.
 *
 * @param {object} options
 * @param {string} options.path from `ensureNatsServer`
 * @param {string} options.dir its configuration, store and log
 * @param {number} [options.port] a free one by default
 * @param {string} [options.config] more configuration (accounts, permissions ...), in nats-server's own syntax
 * @param {boolean} [options.removeDirOnDeath] the directory is deleted if our process dies without `stop`
 * @returns {Promise<NatsServer>}
 */
export async function startNatsServer({ path, dir, port: wantedPort, config = '', removeDirOnDeath = false }) {
  const storeDir = join(dir, 'jetstream');
  const configFile = join(dir, 'nats-server.conf');
  const logFile = join(dir, 'nats-server.log');
  const name = `delta-${randomUUID()}`;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { started: server, port } = await onLoopbackPort(wantedPort, async (onPort) => {
    await writeFile(configFile, natsConfiguration({ name, listen: `127.0.0.1:${onPort}`, storeDir, config }), {
      mode: 0o600,
    });
    return startServerProcess({
      name: 'nats-server',
      command: path,
      args: ['--config', configFile],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      logFile,
      isReady: () => greetsWithJetStream(onPort, name),
      stopSignals: ['SIGTERM'],
      removeDirOnDeath: removeDirOnDeath ? dir : undefined,
    });
  });
  return { ...server, url: `nats://127.0.0.1:${port}`, port, dir, logFile, storeDir };
}

/**
 * @param {{ name: string, listen: string, storeDir: string, config: string }} server
 * @returns {string}
 */
export function natsConfiguration({ name, listen, storeDir, config }) {
  return [
    `server_name: ${name}`,
    `listen: ${listen}`,
    'jetstream {',
    `  store_dir: ${JSON.stringify(storeDir)}`,
    '  max_memory_store: 268435456', // 256 MiB: all our streams are on disk; the default is most of the machine
    '  max_file_store: 10737418240', // 10 GiB: the default is most of the disk
    '}',
    'max_payload: 1048576', // 1 MiB, nats-server's own default: payloads over 512 KiB travel by reference
    config,
    '',
  ].join('\n');
}

/**
 * A server speaks first and says its name and whether JetStream is on. The name tells ours from one that took the port
 * first.
 *
 * @param {number} port
 * @param {string} name
 * @returns {Promise<boolean>}
 */
function greetsWithJetStream(port, name) {
  return new Promise((resolve) => {
    let greeting = '';
    const socket = createConnection({ host: '127.0.0.1', port });
    const answer = (/** @type {boolean} */ ready) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(GREETING_LIMIT_MS, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('close', () => answer(false));
    socket.setEncoding('utf8').on('data', (text) => {
      greeting += text;
      if (greeting.includes('\r\n')) answer(greeting.includes(`"${name}"`) && /"jetstream": ?true/.test(greeting));
    });
  });
}
