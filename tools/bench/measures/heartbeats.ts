import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { CommandClient } from '@delta-ci/bus';
import { LogWriter, openLog } from '@delta-ci/event-log';
import pg from 'pg';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { cpuShareDuring } from '../world/processes.ts';
import { HEARTBEAT } from '../world/workers.ts';
import { countdown, runUnderWay, tell } from '../world/stories.ts';

const RUNNERS = 10_000;
const JOBS_PER_RUN = 100;
/** Every runner says once in so long that it is there. */
const EVERY_MS = 20_000;
/** Heartbeats are sent in small bursts, as timers of many machines would. */
const TICK_MS = 20;
const UNDER_WAY = 200;
const FLAT_OUT_MS = 5_000;
const RAW_ROWS = 100;

interface Runner {
  readonly leaseHash: string;
  readonly runnerId: string;
}

export const heartbeats: Measure = {
  name: 'heartbeats',
  what: 'what 10,000 runners cost that say every 20 s that they are there, and how many an orchestrator takes; raw: a multi-row update',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const runners = await runnersWithLeases(bench, plane, amount(bench, RUNNERS));
    const beat = async (runner: Runner): Promise<void> => heartbeat(plane.commands, runner);
    bench.say('the first of each, which reaches the log');
    await inFlight(runners, UNDER_WAY, beat);
    return [...(await steady(bench, plane, runners, beat)), ...(await flatOut(bench, plane, runners, beat))];
  },
};

async function runnersWithLeases({ say }: Bench, { mesh }: ControlPlane, count: number): Promise<Runner[]> {
  say(`${count} leases`);
  const log = await openLog({ databaseUrl: mesh.orchestratorDatabaseUrl, applicationName: 'bench' });
  const writer = new LogWriter({ pool: log.pool });
  const runners: Runner[] = [];
  const make = countdown(Math.ceil(count / JOBS_PER_RUN), () => {
    const story = runUnderWay(Math.min(JOBS_PER_RUN, count));
    runners.push(...story.leases);
    return story;
  });
  try {
    await tell(writer, 100, make);
    return runners;
  } finally {
    await writer.close();
    await log.close();
  }
}

async function heartbeat(commands: CommandClient, { leaseHash, runnerId }: Runner): Promise<void> {
  const envelope = {
    id: `beat-${randomUUID()}`,
    actor: { kind: 'runner' as const, name: runnerId },
    traceparent: null,
  };
  const answer = await commands.send('heartbeat', { leaseHash, runnerId, ...HEARTBEAT }, envelope);
  if (!answer.ok) throw new Error(`heartbeat: ${answer.refusal.code}: ${answer.refusal.message}`);
}

/** All runners once, evenly over their interval. */
async function steady(
  bench: Bench,
  { mesh, postgres }: ControlPlane,
  runners: readonly Runner[],
  beat: (runner: Runner) => Promise<void>,
): Promise<Figure[]> {
  bench.say(`${runners.length} runners, one heartbeat each`);
  const tookMs: number[] = [];
  const timed = async (runner: Runner): Promise<void> => {
    const sentAt = performance.now();
    await beat(runner);
    tookMs.push(performance.now() - sentAt);
  };
  const everyMs = EVERY_MS * bench.share;
  const pids = [mesh.service('orchestrator').pid ?? 0, postgres.pid()];
  const [orchestrator = Number.NaN, database = Number.NaN] = await cpuShareDuring(pids, async () =>
    spread(runners, everyMs, timed),
  );
  const note = `${runners.length} runners, ${Math.round((runners.length / everyMs) * 1_000)} heartbeats a second`;
  return [
    { name: 'heartbeats.orchestrator-cpu', value: orchestrator, unit: '% of a core', note },
    { name: 'heartbeats.postgres-cpu', value: database, unit: '% of a core', note },
    { name: 'heartbeats.p50', value: percentile(tookMs, 0.5), unit: 'ms', note },
    { name: 'heartbeats.p99', value: percentile(tookMs, 0.99), unit: 'ms', note },
  ];
}

async function flatOut(
  bench: Bench,
  { mesh }: ControlPlane,
  runners: readonly Runner[],
  beat: (runner: Runner) => Promise<void>,
): Promise<Figure[]> {
  bench.say(`as many as it takes, ${UNDER_WAY} under way`);
  const raw = await rawUpdates(mesh.adminDatabaseUrl, FLAT_OUT_MS * bench.share);
  const startedAt = performance.now();
  let sent = 0;
  await inFlight(
    (function* () {
      while (performance.now() - startedAt < FLAT_OUT_MS * bench.share) yield runners[sent++ % runners.length];
    })(),
    UNDER_WAY,
    async (runner) => runner && beat(runner),
  );
  const value = (sent / (performance.now() - startedAt)) * 1_000;
  const note = `${UNDER_WAY} under way, through the bus`;
  return [
    { name: 'heartbeats.flat-out', value, unit: '/s', raw: { what: 'a multi-row update of 100', value: raw }, note },
  ];
}

async function inFlight<T>(all: Iterable<T>, count: number, work: (one: T) => Promise<unknown>): Promise<void> {
  const left = all[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

/** Begins them evenly within `duringMs`, however long each takes. */
async function spread<T>(all: readonly T[], duringMs: number, work: (one: T) => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  while (underWay.length < all.length) {
    const due = Math.min(all.length, Math.ceil(((performance.now() - startedAt) / duringMs) * all.length));
    underWay.push(...all.slice(underWay.length, due).map(work));
    await pause(TICK_MS);
  }
  await Promise.all(underWay);
}

/** Rows per second that a plain table takes in updates of 100 rows, each committed. */
async function rawUpdates(connectionString: string, duringMs: number): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query('CREATE TABLE raw_leases (lease_hash text PRIMARY KEY, until_ms bigint NOT NULL)');
    await client.query(`INSERT INTO raw_leases SELECT 'lease-' || n, 0 FROM generate_series(1, ${RUNNERS}) AS n`);
    const text = 'UPDATE raw_leases SET until_ms = $2 WHERE lease_hash = ANY ($1::text[])';
    const startedAt = performance.now();
    let rows = 0;
    while (performance.now() - startedAt < duringMs) {
      const hashes = Array.from({ length: RAW_ROWS }, (_, at) => `lease-${((rows + at) % RUNNERS) + 1}`);
      await client.query({ name: 'raw-update', text, values: [hashes, rows] });
      rows += RAW_ROWS;
    }
    const perSecond = (rows / (performance.now() - startedAt)) * 1_000;
    await client.query('DROP TABLE raw_leases');
    return perSecond;
  } finally {
    await client.end();
  }
}
