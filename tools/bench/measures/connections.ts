import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { cpuShareDuring, memoryMbOf } from '../world/processes.ts';
import { timesOf } from '../world/log-times.ts';
import { httpWorkers, type HttpWorker } from '../world/workers.ts';

const RUNNERS = [10, 1_000, 10_000] as const;
const WATCHED_MS = 15_000;
/** Before anything is watched everybody waits, and has begun a second wait. */
const SETTLING_MS = 7_000;
const WAIT_SECONDS = 30;
const JOBS = 20;
const JOB_LIMIT_MS = 30_000;
/** Files and connections of a process besides its runners. */
const FILES_BESIDES = 500;

export const connections: Measure = {
  name: 'connections',
  what: 'runners that wait for work: what they cost, how soon one of them has a job, whether others are still answered',
  run: async (bench) => {
    const figures: Figure[] = [];
    for (const runners of RUNNERS) {
      figures.push(...(await bench.scene.part(async (scene) => waiting({ ...bench, scene }, amount(bench, runners)))));
    }
    return figures;
  },
};

/** One gateway and one orchestrator, fresh, with so many runners waiting. */
async function waiting(bench: Bench, wanted: number): Promise<Figure[]> {
  const files = filesMax();
  const runners = Math.min(wanted, files - FILES_BESIDES);
  const bound =
    runners === wanted ? '' : `; ${wanted} were wanted, this machine's limit of ${files} open files allows fewer`;
  const plane = await controlPlane(bench.scene);
  const client = await bench.scene.open(
    () => new HttpClient(plane.mesh.gatewayUrl),
    (opened) => opened.close(),
  );
  bench.say(`${runners} runners register`);
  const crowd = new Crowd(await httpWorkers(client, plane.mesh.registrationToken, runners));
  const waits = crowd.wait(bench.scene.over);
  await pause(SETTLING_MS);
  bench.say(`${runners} runners wait`);
  const pids = ['gateway' as const, 'orchestrator' as const].map((name) => plane.mesh.service(name).pid ?? 0);
  crowd.forget();
  const others: number[] = [];
  const cpu = await cpuShareDuring([...pids, plane.postgres.pid(), plane.nats.pid()], async () =>
    askNowAndThen(client, plane, WATCHED_MS * bench.share, others),
  );
  const memory = pids.map(memoryMbOf);
  const refused = crowd.refused;
  const started = await jobsStart(plane, crowd);
  crowd.leave();
  client.close();
  await waits;
  const note = `${runners} runners wait${bound}`;
  const name = (what: string): string => `connections.${what}-at-${wanted}`;
  return [
    ...['gateway', 'orchestrator', 'postgres', 'nats'].map((who, at): Figure => ({
      name: name(`${who}-cpu`),
      value: cpu[at] ?? Number.NaN,
      unit: '% of a core',
      note,
    })),
    { name: name('gateway-memory'), value: memory[0] ?? Number.NaN, unit: 'MB' },
    { name: name('orchestrator-memory'), value: memory[1] ?? Number.NaN, unit: 'MB' },
    { name: name('others-p99'), value: percentile(others, 0.99), unit: 'ms', note: 'another request meanwhile' },
    { name: name('refused'), value: refused, unit: '', note: 'requests for work that were refused' },
    { name: name('job-starts-p50'), value: percentile(started, 0.5), unit: 'ms', note: 'from queued to leased' },
    { name: name('job-starts-p99'), value: percentile(started, 0.99), unit: 'ms' },
  ];
}

/** Runners that ask for work again and again, and note when they get some. */
class Crowd {
  readonly #workers: readonly HttpWorker[];
  #taken = Promise.withResolvers<void>();
  #refused = 0;
  #open = true;

  constructor(workers: readonly HttpWorker[]) {
    this.#workers = workers;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Resolves when one of them was given a job. */
  async next(): Promise<void> {
    const { promise } = this.#taken;
    await Promise.race([
      promise,
      pause(JOB_LIMIT_MS, undefined, { ref: false }).then(() => {
        throw new Error(`nobody took a job within ${JOB_LIMIT_MS} ms`);
      }),
    ]);
  }

  forget(): void {
    this.#refused = 0;
  }

  leave(): void {
    this.#open = false;
  }

  async wait(over: AbortSignal): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => this.#waitFor(worker, over)));
  }

  async #waitFor(worker: HttpWorker, over: AbortSignal): Promise<void> {
    while (this.#open && !over.aborted) {
      try {
        const held = await worker.lease(WAIT_SECONDS);
        if (held === null) continue;
        this.#taken.resolve();
        this.#taken = Promise.withResolvers();
        await worker.acknowledge(held);
        await worker.complete(held);
      } catch {
        if (!this.#open) return;
        this.#refused += 1;
        // As runners do: a refusal is no reason to ask again at once.
        await pause(1_000);
      }
    }
  }
}

async function askNowAndThen(client: HttpClient, { mesh }: ControlPlane, duringMs: number, tookMs: number[]) {
  const endsAt = performance.now() + duringMs;
  while (performance.now() < endsAt) {
    const askedAt = performance.now();
    const { status } = await client.send('GET', '/api/v1/runs', { authorization: `Bearer ${mesh.adminToken}` });
    if (status !== 200) throw new Error(`/runs: HTTP ${status}`);
    tookMs.push(performance.now() - askedAt);
    await pause(50);
  }
}

/** One job after another becomes ready while everybody waits. @returns how long each waited for its lease */
async function jobsStart(plane: ControlPlane, crowd: Crowd): Promise<number[]> {
  const tookMs: number[] = [];
  for (let job = 0; job < JOBS; job += 1) {
    const [[runId = '']] = await Promise.all([plane.queueJobs(1), crowd.next()]);
    tookMs.push(await queuedToLeased(plane, runId));
  }
  return tookMs;
}

/** By the log's own times. */
async function queuedToLeased({ mesh }: ControlPlane, runId: string): Promise<number> {
  const times = await timesOf(mesh.adminDatabaseUrl, runId, ['attempt.queued', 'lease.granted']);
  return (times['lease.granted'] ?? Number.NaN) - (times['attempt.queued'] ?? Number.NaN);
}

/** How many files a process here may have open. */
function filesMax(): number {
  const said = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return said === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(said);
}
