import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { installBeside } from '../../bootstrap/packages-beside.mjs';
import { amount, type Bench, type Measure } from '../measure.ts';
import { findRedis, startRedis } from '../peers/redis-server.mjs';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import type { Scene } from '../scene.ts';
import { controlPlane, ROOT, type ControlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { lifecycles } from '../world/lifecycles.ts';
import { busWorkers, drain, httpWorkers, type Worker } from '../world/workers.ts';

const JOBS = 5_000;
const CONCURRENCY = 10;
const SAMPLES = 100;
/** A peer that hangs must not hang the benchmark. */
const PEER_LIMIT_MS = 120_000;
/** Of what a peer that failed said. */
const LAST_WORDS = 500;

interface Peer {
  readonly name: string;
  /** What it stores jobs in, and how the durability of that was asked for. */
  readonly how: string;
  readonly needsRedis?: true;
}

const PEERS: readonly Peer[] = [
  { name: 'bullmq', how: 'Redis, fsync always', needsRedis: true },
  { name: 'graphile-worker', how: 'the same Postgres' },
  { name: 'pg-boss', how: 'the same Postgres, one by one' },
  { name: 'dbos', how: 'the same Postgres, started directly' },
  { name: 'restate', how: 'its own server, as it comes' },
];

export const peers: Measure = {
  name: 'peers',
  what: 'enqueue, one worker takes it, completion durably recorded: ours and others, on the same servers in the same session',
  byName: true,
  run: async (bench) => {
    bench.say('installing them beside the product');
    await installBeside(join(ROOT, 'tools', 'bench', 'peers'), 'the peers');
    const plane = await controlPlane(bench.scene);
    const figures = await ours(bench, plane);
    for (const peer of PEERS) figures.push(...(await theirs(bench, plane, peer)));
    return figures;
  },
};

async function ours(bench: Bench, plane: ControlPlane): Promise<Figure[]> {
  const client = await bench.scene.open(
    () => new HttpClient(plane.mesh.gatewayUrl),
    (opened) => opened.close(),
  );
  const overBus = await busWorkers(plane.commands, CONCURRENCY);
  const overHttp = await httpWorkers(client, plane.mesh.registrationToken, CONCURRENCY);
  return [
    ...(await oneOfOurs(bench, plane, 'ours-bus', overBus)),
    ...(await oneOfOurs(bench, plane, 'ours-http', overHttp)),
  ];
}

async function oneOfOurs(
  bench: Bench,
  plane: ControlPlane,
  name: string,
  workers: readonly Worker[],
): Promise<Figure[]> {
  const jobs = amount(bench, JOBS);
  bench.say(`${name}: ${jobs} jobs`);
  await lifecycles(plane, workers, 200, bench.scene.over);
  const { tookMs } = await lifecycles(plane, workers, jobs, bench.scene.over);
  const samples = amount(bench, SAMPLES);
  await plane.queueJobs(samples);
  const { lifecycleMs } = await drain(workers.slice(0, 1), samples, bench.scene.over);
  return figuresOf(name, { tookMs, samples: lifecycleMs }, jobs, 'five events a job, chained and projected');
}

interface Found {
  readonly tookMs: number;
  readonly samples: readonly number[];
}

async function theirs(bench: Bench, plane: ControlPlane, peer: Peer): Promise<Figure[]> {
  const jobs = amount(bench, JOBS);
  bench.say(`${peer.name}: ${jobs} jobs`);
  try {
    const found = await bench.scene.part(async (scene) => measurePeer({ ...bench, scene }, plane, peer, jobs));
    return figuresOf(peer.name, found, jobs, peer.how);
  } catch (error) {
    if (bench.scene.over.aborted) throw error;
    // One that cannot be had leaves its goals unmeasured, and says why.
    bench.say(`${peer.name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

function figuresOf(name: string, { tookMs, samples }: Found, jobs: number, how: string): Figure[] {
  const note = `${jobs} jobs, ${CONCURRENCY} at once; ${how}`;
  return [
    { name: `peers.${name}`, value: (jobs / tookMs) * 1_000, unit: '/s', note },
    { name: `peers.${name}-p50`, value: percentile(samples, 0.5), unit: 'ms', note: 'one at a time' },
    { name: `peers.${name}-p99`, value: percentile(samples, 0.99), unit: 'ms' },
  ];
}

async function measurePeer({ scene, say, share }: Bench, plane: ControlPlane, peer: Peer, jobs: number) {
  const directory = join(await scene.directory('peer'), 'own');
  await mkdir(directory);
  const order = {
    adapter: peer.name,
    databaseUrl: await databaseFor(plane, peer.name),
    redisPort: peer.needsRedis === true ? await redisPort(scene, say) : 0,
    directory,
    jobs,
    concurrency: CONCURRENCY,
    samples: Math.max(1, Math.round(SAMPLES * share)),
  };
  const child = await scene.open(
    () => fork(join(ROOT, 'tools/bench/peers/peer.mjs'), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] }),
    async (opened) => {
      if (opened.exitCode !== null || opened.signalCode !== null) return;
      const gone = once(opened, 'exit');
      opened.kill('SIGKILL');
      await gone;
    },
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LAST_WORDS);
  });
  child.send(order);
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`it ended with ${String(code)} before it was done: ${said}`);
  });
  const told = once(child, 'message', { signal: AbortSignal.timeout(PEER_LIMIT_MS) });
  const [found] = (await Promise.race([told, ended])) as [Found];
  return found;
}

async function databaseFor({ postgres }: ControlPlane, peer: string): Promise<string> {
  const name = `peer_${peer.replaceAll('-', '_')}`;
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function redisPort(scene: Scene, say: (what: string) => void): Promise<number> {
  const found = await findRedis({ repoRoot: ROOT, say });
  if (found.path === null) throw new Error(`no redis-server: ${found.reason}`);
  const { path, libraries } = found;
  const dir = await scene.directory('redis');
  const server = await scene.open(
    async () => startRedis({ path, libraries, dir }),
    async (opened) => opened.stop(),
  );
  return server.port;
}
