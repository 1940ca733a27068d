// @ts-check
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { TRIPLET } from './debian-package.mjs';
import { librariesOf } from './object-server-program.mjs';
import { lastLine, runCommand } from './run-command.mjs';
import { freePort, startServerProcess } from './server-process.mjs';
import { SetupProblem } from './setup-problem.mjs';

/** A local server answers at once; a connection that says nothing for so long is not one. */
const ANSWER_LIMIT_MS = 2_000;
/** Each step takes a second at most on an idle machine; one that waits for a server that has ended would wait for ever. */
const STEP_LIMIT_MS = 45_000;

/**
 * @typedef {object} ObjectServer
 * @property {string} endpoint
 * @property {string} accessKeyId
 * @property {string} secretAccessKey
 * @property {() => Promise<void>} stop ends all of it and deletes its directory
 */

/**
 * Starts an S3 server on a loopback address that keeps everything in memory; ready in about three seconds. It ends with our
 * process, however that ends. One monitor, one store and one gateway of Ceph, which know each other by one configuration file.
 * Ports are part of that file, so they are chosen before anybody listens: on an address that no other server has.
 *
 * @param {object} options
 * @param {string} options.root from `ensureObjectServer`
 * @param {string} options.dir its configuration and logs; deleted at the end
 * @returns {Promise<ObjectServer>}
 */
export async function startObjectServer({ root, dir }) {
  await mkdir(join(dir, 'mon'), { recursive: true, mode: 0o700 });
  await mkdir(join(dir, 'osd'));
  const host = loopbackOfItsOwn();
  const [monitorPort, port] = [await freePort(host), await freePort(host)];
  const config = join(dir, 'ceph.conf');
  const fsid = randomUUID();
  await writeFile(config, cephConfiguration({ root, dir, fsid, host, monitorPort, port }), { mode: 0o600 });
  const cluster = { root, dir, config };
  await run(
    cluster,
    'monmaptool',
    '--create',
    '--fsid',
    fsid,
    '--addv',
    'a',
    `[v1:${host}:${monitorPort}]`,
    join(dir, 'monmap'),
  );
  await run(cluster, 'osdmaptool', '--createsimple', '1', join(dir, 'osdmap'));
  await run(
    cluster,
    'ceph-mon',
    '-i',
    'a',
    '--mkfs',
    '--fsid',
    fsid,
    '--monmap',
    join(dir, 'monmap'),
    '--osdmap',
    join(dir, 'osdmap'),
  );
  const monitor = await start(cluster, 'ceph-mon', ['-i', 'a'], () => accepts(host, monitorPort));
  await run(cluster, 'ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', randomUUID());
  const store = await start(cluster, 'ceph-osd', ['-i', '0'], () => Promise.resolve(true));
  const accessKeyId = randomBytes(10).toString('hex');
  const secretAccessKey = randomBytes(20).toString('hex');
  const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
  await run(cluster, 'radosgw-admin', 'user', 'create', '--uid=tests', '--display-name=tests', ...keys);
  const endpoint = `http://${host}:${port}`;
  const gateway = await start(cluster, 'radosgw', ['-n', 'client.rgw'], () => answers(endpoint));
  return {
    endpoint,
    accessKeyId,
    secretAccessKey,
    async stop() {
      for (const server of [gateway, store, monitor]) await server.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * One of the sixteen million addresses by which a Linux machine reaches itself. Two servers would hardly ever choose the same,
 * and no connection to elsewhere begins at it.
 */
function loopbackOfItsOwn() {
  return ['127', ...Array.from({ length: 3 }, () => randomInt(1, 255))].join('.');
}

/**
 * @param {{ root: string, dir: string, fsid: string, host: string, monitorPort: number, port: number }} place
 * @returns {string}
 */
export function cephConfiguration({ root, dir, fsid, host, monitorPort, port }) {
  const libraries = join(root, 'usr/lib', TRIPLET);
  const settings = {
    fsid,
    'mon host': `v1:${host}:${monitorPort}`,
    // Known from the start: who has yet to hear of it from the monitor may be refused for having the wrong one.
    monmap: join(dir, 'monmap'),
    'osd class update on start': false,
    'osd crush update on start': false,
    'ms bind msgr2': false,
    'public addr': host,
    'cluster addr': host,
    // Within the machine, and for minutes.
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'run dir': dir,
    'admin socket': '',
    'log file': '',
    'mon cluster log file': '',
    'plugin dir': join(libraries, 'ceph'),
    'osd class dir': join(libraries, 'rados-classes'),
    'erasure code dir': join(libraries, 'ceph/erasure-code'),
    'mon data': join(dir, 'mon'),
    'mon data avail crit': 0,
    'mon data avail warn': 0,
    'osd data': join(dir, 'osd'),
    'osd objectstore': 'memstore',
    'memstore device bytes': 8 * 1_024 ** 3,
    // One copy in one place, and as little splitting as there can be.
    'mon allow pool size one': true,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pgp num': 1,
    'osd pool default pg autoscale mode': 'off',
    'osd crush chooseleaf type': 0,
    'paxos propose interval': 0.05,
    'paxos min wait': 0.02,
    'rgw frontends': `beast endpoint=${host}:${port}`,
    'rgw enable apis': 's3',
    'rgw enable usage log': false,
    'rgw run sync thread': false,
    'rgw dynamic resharding': false,
    'rgw thread pool size': 64,
    'rgw num rados handles': 1,
    'rgw override bucket index max shards': 1,
    'rgw data log num shards': 1,
    'rgw md log max shards': 1,
    'rgw gc max objs': 1,
    'rgw lc max objs': 1,
    'rgw objexp hints num shards': 1,
  };
  return ['[global]', ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`), ''].join('\n');
}

/** @typedef {{ root: string, dir: string, config: string }} Cluster */

/** @param {Cluster} cluster @param {string} program @param {string[]} args */
async function run({ root, config }, program, ...args) {
  const command = join(root, 'usr/bin', program);
  const limits = { env: librariesOf(root), timeout_ms: STEP_LIMIT_MS };
  const { code, stderr } = await runCommand(command, ['-c', config, ...args], limits);
  if (code !== 0) throw new SetupProblem(`${program} failed (${lastLine(stderr)})`, `try ${command}`);
}

/** @param {Cluster} cluster @param {string} program @param {string[]} args @param {() => Promise<boolean>} isReady */
function start({ root, dir, config }, program, args, isReady) {
  return startServerProcess({
    name: program,
    command: join(root, 'usr/bin', program),
    args: ['-c', config, ...args, '-f'],
    env: librariesOf(root),
    logFile: join(dir, `${program}.log`),
    isReady,
    // It keeps nothing, so there is nothing to end cleanly.
    stopSignals: ['SIGKILL'],
    removeDirOnDeath: dir,
  });
}

/** @param {string} host @param {number} port @returns {Promise<boolean>} */
function accepts(host, port) {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const answer = (/** @type {boolean} */ accepted) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

/** @param {string} endpoint @returns {Promise<boolean>} */
async function answers(endpoint) {
  const signal = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const answer = await fetch(`${endpoint}/`, { signal }).catch(() => null);
  return (await answer?.text().catch(() => null))?.includes('ListAllMyBucketsResult') ?? false;
}
