import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { downloadCommit, Git, parseCloneUrl } from '@delta-ci/git';
import pg from 'pg';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { amount, type Measure } from '../measure.ts';
import { median, percentile } from '../report/percentile.ts';
import { timesOf } from '../world/log-times.ts';
import { api } from '../world/control-plane.ts';
import { needed } from '../world/servers.ts';
import { wholeMesh, type PushedChange, type WholeMesh } from '../world/whole-mesh.ts';

const CHANGES = 30;
const WARMING_UP = 3;
const RAW_SAMPLES = 50;
/** A runner that has registered asks for work, and the machine comes to rest. */
const REST_MS = 500;

const TYPES = ['attempt.queued', 'lease.granted', 'lease.activated', 'attempt.finished'] as const;
type Times = Readonly<Record<string, number>>;

const between = (all: readonly Times[], from: string, to: string): number[] =>
  all.map((times) => (times[to] ?? Number.NaN) - (times[from] ?? Number.NaN));

export const sandboxTrue: Measure = {
  name: 'sandbox-true',
  what: 'from queued to finished of a job that runs `true` in the sandbox, with a runner ready; raw: bubblewrap around `true`',
  run: async (bench) => {
    const whole = await wholeMesh(bench.scene);
    const changes = amount(bench, CHANGES) + WARMING_UP;
    const steps: Times[] = [];
    const again: Times[] = [];
    const remoteMs: number[] = [];
    const packFile = join(await bench.scene.directory('pack'), 'again.pack');
    bench.say(`${changes} changes`);
    for (let change = 0; change < changes; change += 1) {
      await runnerReady(whole.mesh.adminDatabaseUrl);
      const pushed = await whole.push(['true']);
      const runId = await pushed.deliver();
      await pushed.settled(runId);
      await runnerReady(whole.mesh.adminDatabaseUrl);
      const rerunId = await rerun(whole, runId);
      if (change < WARMING_UP) continue;
      steps.push(await timesOf(whole.mesh.adminDatabaseUrl, runId, TYPES));
      again.push(await timesOf(whole.mesh.adminDatabaseUrl, rerunId, TYPES));
      remoteMs.push(await askedAgain(pushed, packFile));
    }
    const whole_ms = between(steps, 'attempt.queued', 'attempt.finished');
    const raw = { what: 'bubblewrap around true', value: median(await rawSandbox(amount(bench, RAW_SAMPLES))) };
    return [
      { name: 'sandbox-true.p50', value: median(whole_ms), unit: 'ms', raw, note: `${steps.length} changes` },
      { name: 'sandbox-true.p99', value: percentile(whole_ms, 0.99), unit: 'ms' },
      {
        name: 'sandbox-true.queued-to-granted',
        value: median(between(steps, 'attempt.queued', 'lease.granted')),
        unit: 'ms',
      },
      {
        name: 'sandbox-true.granted-to-acknowledged',
        value: median(between(steps, 'lease.granted', 'lease.activated')),
        unit: 'ms',
      },
      {
        name: 'sandbox-true.acknowledged-to-finished',
        value: median(between(steps, 'lease.activated', 'attempt.finished')),
        unit: 'ms',
        note: 'fetches the source, opens the sandbox, runs, uploads the log, reports',
      },
      {
        name: 'sandbox-true.again',
        value: median(between(again, 'attempt.queued', 'attempt.finished')),
        unit: 'ms',
        note: 'the whole of a rerun: another job of the same commit ran on this host',
      },
      {
        name: 'sandbox-true.remote',
        value: median(remoteMs),
        unit: 'ms',
        note: 'the source alone, from the remote of the bench: `git http-backend`',
      },
    ];
  },
};

/** How long the remote takes for what a runner asks it. */
async function askedAgain({ cloneUrl, commit }: PushedChange, packFile: string): Promise<number> {
  const remote = parseCloneUrl(cloneUrl, ['http']);
  if (!remote.ok) throw new Error(remote.error.message);
  const startedAt = performance.now();
  const downloaded = await downloadCommit(new Git({ environment: {} }), {
    remote: remote.value,
    commit,
    packFile,
    authorization: null,
    maxBytes: 2 ** 20,
    timeLimitMs: 60_000,
    signal: new AbortController().signal,
    onTrouble: (error) => {
      throw error;
    },
  });
  const tookMs = performance.now() - startedAt;
  if (downloaded === null) throw new Error('the remote cannot be asked directly');
  await rm(packFile);
  return tookMs;
}

/** Resolves when the rerun is finished. @returns its id */
async function rerun({ mesh, run }: WholeMesh, runId: string): Promise<string> {
  const asked = await api(mesh, `/runs/${runId}/rerun`, { method: 'POST', body: JSON.stringify({ only: 'all' }) });
  const { runId: again } = (await asked.json()) as { runId: string };
  await eventually('the rerun is finished', async () => (await run(again)).state === 'finished');
  return again;
}

/** Two runners that were never given anything: one for the job, and one so that nobody starts one meanwhile. */
async function runnerReady(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const text = `SELECT count(*)::int AS ready FROM runner AS r WHERE r.present
      AND NOT EXISTS (SELECT 1 FROM lease AS l WHERE l.runner_id = r.runner_id)`;
    await eventually('two runners are ready', async () => {
      const { rows } = await client.query<{ ready: number }>(text);
      return (rows[0]?.ready ?? 0) >= 2;
    });
  } finally {
    await client.end();
  }
  await pause(REST_MS);
}

async function rawSandbox(samples: number): Promise<number[]> {
  const bwrap = needed('DELTA_BWRAP');
  const flags = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];
  const tookMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const startedAt = performance.now();
    await promisify(execFile)(bwrap, [...flags, '/bin/true']);
    tookMs.push(performance.now() - startedAt);
  }
  return tookMs;
}
