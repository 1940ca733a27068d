import { setTimeout as pause } from 'node:timers/promises';
import { LogReader, LogWriter, openLog } from '@delta-ci/event-log';
import pg from 'pg';
import { amount, type Bench, type Measure } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { median } from '../report/percentile.ts';
import { controlPlane, type ControlPlane } from '../world/control-plane.ts';
import { cpuMsOfAll } from '../world/processes.ts';
import { countdown, tell, wholeRun } from '../world/stories.ts';
import { busWorkers, drain, type Worker } from '../world/workers.ts';

const SIZES = [
  { name: '1k', jobs: 1_000 },
  { name: '10k', jobs: 10_000 },
  { name: '100k', jobs: 100_000 },
  { name: '1m', jobs: 1_000_000 },
] as const;
const JOBS_PER_RUN = 20;
const TOLD_AT_ONCE = 300;
const SAMPLE_JOBS = 1_000;
const SAMPLES = 3;
const RUNNERS = 50;
const CAUGHT_UP_LIMIT_MS = 20 * 60_000;

export const growth: Measure = {
  name: 'growth',
  what: 'what a job costs when the log holds a thousand jobs before it, ten thousand, a hundred thousand (--jobs-max)',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const workers = await busWorkers(plane.commands, RUNNERS);
    await sample(bench, plane, workers);
    let [held, first] = [0, Number.NaN];
    const figures: Figure[] = [];
    for (const { name, jobs } of SIZES.filter((size) => size.jobs <= bench.jobsMax * bench.share)) {
      bench.say(`filling the log up to ${jobs} jobs`);
      await fill(plane, jobs - held);
      held = jobs;
      bench.say(`${SAMPLES} times ${amount(bench, SAMPLE_JOBS)} jobs on top of ${jobs}`);
      const { cpuMs, perSecond } = await costAt(bench, plane, workers);
      first = figures.length === 0 ? cpuMs : first;
      const raw = { what: 'the cost after 1,000 jobs', value: first };
      const note = 'processor time of orchestrator, Postgres and NATS for one job';
      figures.push(
        { name: `growth.cost-at-${name}`, value: cpuMs, unit: 'ms', raw, note },
        { name: `growth.rate-at-${name}`, value: perSecond, unit: '/s' },
      );
    }
    return figures;
  },
};

/** Whole runs through the real writer; the orchestrator relays them and comes to rest before anything is measured. */
async function fill({ mesh, bus }: ControlPlane, jobs: number): Promise<void> {
  const log = await openLog({ databaseUrl: mesh.orchestratorDatabaseUrl, applicationName: 'bench' });
  const writer = new LogWriter({ pool: log.pool });
  try {
    await tell(
      writer,
      TOLD_AT_ONCE,
      countdown(Math.ceil(jobs / JOBS_PER_RUN), () => wholeRun(Math.min(JOBS_PER_RUN, jobs))),
    );
    const { position } = await new LogReader(log).head();
    const startedAt = performance.now();
    for (;;) {
      const state = await bus.streamState('EVENTS');
      if (state.outcome === 'known' && state.lastSequence >= position) break;
      if (performance.now() - startedAt > CAUGHT_UP_LIMIT_MS) throw new Error('the relay did not catch up');
      await pause(100);
    }
  } finally {
    await writer.close();
    await log.close();
  }
  await tidy(mesh.adminDatabaseUrl);
}

/** What the database would do by itself in the course of such a growth, done before anything is measured. */
async function tidy(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

async function costAt(bench: Bench, plane: ControlPlane, workers: readonly Worker[]) {
  const samples: { cpuMs: number; perSecond: number }[] = [];
  for (let n = 0; n < SAMPLES; n += 1) samples.push(await sample(bench, plane, workers));
  return {
    cpuMs: median(samples.map(({ cpuMs }) => cpuMs)),
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
  };
}

async function sample(bench: Bench, plane: ControlPlane, workers: readonly Worker[]) {
  const jobs = amount(bench, SAMPLE_JOBS);
  const { mesh, postgres, nats } = plane;
  await plane.queueJobs(jobs, 10);
  const pids = [mesh.service('orchestrator').pid ?? 0, postgres.pid(), nats.pid()];
  const before = cpuMsOfAll(pids);
  const { perSecond } = await drain(workers, jobs, bench.scene.over);
  return { cpuMs: (cpuMsOfAll(pids) - before) / jobs, perSecond };
}
