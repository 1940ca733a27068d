// @ts-check
import { join } from 'node:path';
import { cachedProgram } from '../../bootstrap/cached-program.mjs';
import { unpackDebianPackage } from '../../bootstrap/debian-package.mjs';
import { findProgram } from '../../bootstrap/find-program.mjs';
import { openCache } from '../../bootstrap/cache-dir.mjs';
import { onLoopbackPort, startServerProcess } from '../../bootstrap/server-process.mjs';
import { createConnection } from 'node:net';

/** The server and what it is linked with that a small machine lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblua5.1-0', 'liblzf1', 'lua-bitop', 'lua-cjson'];
const LIBRARIES = process.arch === 'arm64' ? 'usr/lib/aarch64-linux-gnu' : 'usr/lib/x86_64-linux-gnu';
const PROGRAM = 'usr/bin/redis-server';
const ANSWER_LIMIT_MS = 1_000;

/** @typedef {{ path: string, libraries: string | null } | { path: null, reason: string }} RedisProgram */

/**
 * The redis-server on PATH, the cached one, or the distribution's packages, unpacked into the cache like those of
 * nats-server.
 *
 * @param {{ repoRoot: string, say: (text: string) => void }} where
 * @returns {Promise<RedisProgram>}
 */
export async function findRedis({ repoRoot, say }) {
  const installed = await findProgram('redis-server', { path: process.env['PATH'] });
  if (installed !== null) return { path: installed, libraries: null };
  const cacheDir = await openCache({ repoRoot });
  const fetched = await cachedProgram({ cacheDir, name: 'redis-server', sources: SOURCES, say });
  if (fetched.path === null) return { path: null, reason: fetched.reasons.join('; ') };
  return { path: fetched.path, libraries: join(fetched.path.slice(0, -PROGRAM.length), LIBRARIES) };
}

/** @type {readonly import('../../bootstrap/cached-program.mjs').Source[]} */
const SOURCES = [{ name: 'Debian package', file: PROGRAM, unpack: unpackAll }];

/** @param {string} into @returns {Promise<{ unpacked: true } | { unpacked: false, reason: string }>} */
async function unpackAll(into) {
  for (const name of PACKAGES) {
    const result = await unpackDebianPackage(name, into);
    if (!result.unpacked) return { unpacked: false, reason: `${name}: ${result.reason}` };
  }
  return { unpacked: true };
}

/**
 * Starts Redis on 127.0.0.1, waiting for the disk with every command, so that what it says is done survives a crash like
 * everybody else's. It ends with our process.
 *
 * @param {{ path: string, libraries: string | null, dir: string }} server
 */
export async function startRedis({ path, libraries, dir }) {
  const env = libraries === null ? {} : { LD_LIBRARY_PATH: libraries };
  const { started, port } = await onLoopbackPort(undefined, (onPort) =>
    startServerProcess({
      name: 'redis-server',
      command: path,
      args: commandLine({ port: onPort, dir }),
      env,
      logFile: join(dir, 'redis.log'),
      isReady: () => answers(onPort),
      stopSignals: ['SIGTERM'],
    }),
  );
  return { ...started, port };
}

/** @param {{ port: number, dir: string }} where @returns {string[]} */
function commandLine({ port, dir }) {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir,
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** @param {number} port @returns {Promise<boolean>} */
function answers(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const answer = (/** @type {boolean} */ ready) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(ANSWER_LIMIT_MS, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => answer(data.toString().startsWith('+PONG')));
  });
}
