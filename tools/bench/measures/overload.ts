import { setTimeout as pause } from 'node:timers/promises';
import { NO_OP_REPOSITORY } from '../../../test/support/protocol-runner/no-op-plan.ts';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile, median } from '../report/percentile.ts';
import { api, controlPlane, WEBHOOK_SECRET, type ControlPlane } from '../world/control-plane.ts';
import { flood, type FloodTally } from '../world/flood.ts';
import { HttpClient } from '../world/http-client.ts';
import { memoryMbOf, sum } from '../world/processes.ts';
import { httpWorkers, type HeldLease, type HttpWorker } from '../world/workers.ts';

const FLOOD_MS = 20_000;
/** Many times what a gateway answers in a second: each sender waits for its answer before it sends again. */
const CONNECTIONS = 4_000;
/** Runners at work meanwhile: they say that they are there, and end their jobs. */
const AT_WORK = 200;
const HEARTBEAT_EVERY_MS = 2_000;
const WATCH_EVERY_MS = 250;
/** Back to normal: a request is answered as soon as three times what it took before. */
const RECOVERED = 3;
const RECOVERY_LIMIT_MS = 60_000;

export const overload: Measure = {
  name: 'overload',
  what: 'new work far past the limit: whether running work goes on, memory stays bounded, refusals are clear, and all is well afterwards',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const client = await bench.scene.open(
      () => new HttpClient(plane.mesh.gatewayUrl),
      (opened) => opened.close(),
    );
    const atWork = await runnersAtWork(bench, plane, client);
    const quietMs = await usualRequestMs(plane);
    const watched = await bench.scene.open(
      () => new Watched(plane),
      (opened) => opened.stop(),
    );
    const heartbeats = new Heartbeats(atWork, bench.scene.over);
    bench.say(`${amount(bench, CONNECTIONS)} senders`);
    const tally = await floodFor(bench, plane, FLOOD_MS * bench.share);
    const recoveredMs = await recovery(plane, quietMs);
    await heartbeats.stop();
    const completed = await completeAll(atWork);
    return [
      ...flooded(tally, FLOOD_MS * bench.share),
      ...wentOn(heartbeats, { completed, of: atWork.length }, recoveredMs),
      ...watched.figures(),
    ];
  },
};

interface AtWork {
  readonly worker: HttpWorker;
  readonly held: HeldLease;
}

async function runnersAtWork(bench: Bench, plane: ControlPlane, client: HttpClient): Promise<AtWork[]> {
  const count = amount(bench, AT_WORK);
  bench.say(`${count} runners at work`);
  const workers = await httpWorkers(client, plane.mesh.registrationToken, count);
  await plane.queueJobs(count);
  return Promise.all(
    workers.map(async (worker) => {
      const held = await worker.lease(30);
      if (held === null) throw new Error('a runner got no job');
      await worker.acknowledge(held);
      await worker.heartbeat(held);
      return { worker, held };
    }),
  );
}

async function floodFor({ scene, share }: Bench, { mesh }: ControlPlane, durationMs: number): Promise<FloodTally> {
  const { stop } = await flood(scene, {
    gatewayUrl: mesh.gatewayUrl,
    secret: WEBHOOK_SECRET,
    repository: NO_OP_REPOSITORY.fullName,
    cloneUrl: NO_OP_REPOSITORY.cloneUrl,
    connections: Math.round(CONNECTIONS * share),
  });
  await pause(durationMs);
  return stop();
}

/** Median time of a request that asks the database. */
async function usualRequestMs({ mesh }: ControlPlane): Promise<number> {
  const tookMs: number[] = [];
  for (let request = 0; request < 50; request += 1) {
    const askedAt = performance.now();
    await (await api(mesh, '/runs')).text();
    tookMs.push(performance.now() - askedAt);
  }
  return median(tookMs);
}

/** How long after the flood a run is created as usual again, in milliseconds. */
async function recovery(plane: ControlPlane, quietMs: number): Promise<number> {
  const startedAt = performance.now();
  while (performance.now() - startedAt < RECOVERY_LIMIT_MS) {
    const tookMs = await usualRequestMs(plane).catch(() => Number.POSITIVE_INFINITY);
    const created = await plane.queueJobs(1).then(
      () => true,
      () => false,
    );
    if (created && tookMs <= Math.max(quietMs * RECOVERED, 20)) return performance.now() - startedAt;
  }
  return Number.NaN;
}

async function completeAll(atWork: readonly AtWork[]): Promise<number> {
  const ends = await Promise.allSettled(atWork.map(async ({ worker, held }) => worker.complete(held)));
  return ends.filter(({ status }) => status === 'fulfilled').length;
}

/** Runners that say that they are there, as they would with no flood. */
class Heartbeats {
  readonly tookMs: number[] = [];
  readonly statuses = new Map<number, number>();
  readonly #over = new AbortController();
  readonly #beating: Promise<unknown>;

  constructor(atWork: readonly AtWork[], over: AbortSignal) {
    const ended = AbortSignal.any([over, this.#over.signal]);
    this.#beating = Promise.all(atWork.map(async (runner, at) => this.#beat(runner, at / atWork.length, ended)));
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#beating;
  }

  async #beat({ worker, held }: AtWork, phase: number, ended: AbortSignal): Promise<void> {
    await pause(phase * HEARTBEAT_EVERY_MS);
    while (!ended.aborted) {
      const sentAt = performance.now();
      const status = await worker.heartbeat(held).catch(() => 0);
      this.tookMs.push(performance.now() - sentAt);
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      await pause(HEARTBEAT_EVERY_MS, undefined, { signal: ended }).catch(() => undefined);
    }
  }
}

/** The most memory each of them used while it was watched. */
class Watched {
  readonly #plane: ControlPlane;
  readonly #timer: NodeJS.Timeout;
  readonly #before: readonly number[];
  #most: number[];

  constructor(plane: ControlPlane) {
    this.#plane = plane;
    this.#before = this.#look();
    this.#most = [...this.#before];
    this.#timer = setInterval(() => {
      this.#most = this.#look().map((now, at) => Math.max(now, this.#most[at] ?? 0));
    }, WATCH_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  figures(): Figure[] {
    return ['gateway', 'orchestrator'].map((who, at) => ({
      name: `overload.${who}-memory`,
      value: this.#most[at] ?? Number.NaN,
      unit: 'MB',
      note: `at most; ${Math.round(this.#before[at] ?? 0)} MB before`,
    }));
  }

  #look(): number[] {
    const { mesh } = this.#plane;
    return ['gateway' as const, 'orchestrator' as const].map((name) => memoryMbOf(mesh.service(name).pid ?? 0));
  }
}

function flooded({ byStatus, withoutRetryAfter, slowestAcceptedMs }: FloodTally, tookMs: number): Figure[] {
  const all = sum(Object.values(byStatus));
  const answers = Object.entries(byStatus).map(([status, count]) => (/^\d+$/.test(status) ? count : 0));
  const note = Object.entries(byStatus)
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
  return [
    { name: 'overload.answered', value: (all / tookMs) * 1_000, unit: '/s', note },
    { name: 'overload.cut', value: all - sum(answers), unit: '', note: 'requests without any answer' },
    { name: 'overload.refused-without-retry-after', value: withoutRetryAfter, unit: '' },
    { name: 'overload.slowest-accepted', value: slowestAcceptedMs, unit: 'ms' },
  ];
}

function wentOn(
  { tookMs, statuses }: Heartbeats,
  jobs: { completed: number; of: number },
  recoveredMs: number,
): Figure[] {
  const unanswered = tookMs.length - (statuses.get(200) ?? 0);
  const note = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  return [
    { name: 'overload.heartbeat-p50', value: percentile(tookMs, 0.5), unit: 'ms', note },
    { name: 'overload.heartbeat-p99', value: percentile(tookMs, 0.99), unit: 'ms' },
    { name: 'overload.heartbeats-failed', value: unanswered, unit: '' },
    { name: 'overload.jobs-completed', value: jobs.completed, unit: '', note: `of ${jobs.of} that were under way` },
    { name: 'overload.recovered-after', value: recoveredMs / 1_000, unit: 's' },
  ];
}
