import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import type { Bench, Measure } from '../measure.ts';
import { amount } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { medianExcess } from '../report/median-excess.ts';
import { median } from '../report/percentile.ts';
import { controlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { cpuMsOfAll } from '../world/processes.ts';
import { needed } from '../world/servers.ts';
import { singleJobs } from '../world/single-jobs.ts';
import { httpWorkers } from '../world/workers.ts';

const CHUNK_BYTES = 1024 * 1024;
const CHUNKS = 60;
/** Also for a look: a flood of less passes in the time by which jobs differ anyway. A job's log has no room for many more. */
const PRINTED_MIB = 60;
const PRINTING_JOBS = 9;
/** Also for a look: fewer have no middle that nothing disturbed. */
const PRINTING_JOBS_MIN = 5;
const PER_MIB = 'processor time for each MiB';
const ATTEMPT = { runId: `run_${'0'.repeat(32)}`, jobKey: 'bench', attempt: 1 };

export const logBulk: Measure = {
  name: 'log-bulk',
  what: 'a flood of output: by a step through its runner (raw: out of bubblewrap to a process that drops it), into the gateway by the runner protocol (raw: into a file), then compressed and read again',
  run: async (bench) => {
    const chunks = Array.from({ length: amount(bench, CHUNKS) }, (_, at) => outputOf(at));
    return [...(await printed(bench)), ...(await uploaded(bench, chunks)), ...(await archived(bench, chunks))];
  },
};

/** What a runner does with a flood: reads it out of a sandbox, looks for secrets in it, sends it. Beside jobs that print nothing, in turns. */
async function printed(bench: Bench): Promise<Figure[]> {
  const { scene, say } = bench;
  const lines = outputOf(0).toString();
  const flood = `i=0; while [ $i -lt ${PRINTED_MIB} ]; do cat lines; i=$((i+1)); done`;
  const jobs = await singleJobs(scene, { lines }, { DELTA_BWRAP: needed('DELTA_BWRAP') });
  const took = async (script: string) => {
    const { grantedAtMs, finishedAtMs, runnerCpuMs } = await jobs.carryOut({ tier: 'sandbox', script, warm: true });
    return { wallMs: finishedAtMs - grantedAtMs, cpuMs: runnerCpuMs };
  };
  const directory = await scene.directory('lines');
  await writeFile(join(directory, 'lines'), lines);
  const pairs = Math.max(PRINTING_JOBS_MIN, amount(bench, PRINTING_JOBS));
  say(`${pairs} times ${PRINTED_MIB} MiB of a step`);
  // The first of each kind are of servers that do it for the first time.
  for (const script of ['true', flood]) await took(script);
  const [silent, loud, rawMs]: [Took[], Took[], number[]] = [[], [], []];
  for (let pair = 0; pair < pairs; pair += 1) {
    silent.push(await took('true'));
    loud.push(await took(flood));
    rawMs.push(await timed(async () => dropped(directory, flood)));
  }
  const beyond = (of: (one: Took) => number): number => medianExcess('a flood', loud.map(of), silent.map(of));
  const note = `of a step, beside a silent one; medians of ${pairs}`;
  const raw = { what: 'bubblewrap, dropped', value: (PRINTED_MIB / median(rawMs)) * 1_000 };
  return [
    {
      name: 'log-bulk.printed-mib',
      value: (PRINTED_MIB / beyond(({ wallMs }) => wallMs)) * 1_000,
      unit: '/s',
      raw,
      note,
    },
    { name: 'log-bulk.runner-cpu', value: beyond(({ cpuMs }) => cpuMs) / PRINTED_MIB, unit: 'ms', note: PER_MIB },
  ];
}

interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Runs a script in bubblewrap and reads what it prints, as a runner has to, and does nothing with it. */
async function dropped(directory: string, script: string): Promise<void> {
  const sandbox = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--chdir', directory];
  const child = spawn(needed('DELTA_BWRAP'), [...sandbox, '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => void (bytes += chunk.byteLength));
  await once(child, 'close');
  if (bytes !== PRINTED_MIB * CHUNK_BYTES) throw new Error(`${bytes} bytes came out of bubblewrap`);
}

async function uploaded(bench: Bench, chunks: readonly Buffer[]): Promise<Figure[]> {
  const plane = await controlPlane(bench.scene);
  const client = await bench.scene.open(
    () => new HttpClient(plane.mesh.gatewayUrl),
    (opened) => opened.close(),
  );
  const [worker] = await httpWorkers(client, plane.mesh.registrationToken, 1);
  await plane.queueJobs(1);
  const held = (await worker?.lease(30)) ?? null;
  if (worker === undefined || held === null) throw new Error('no lease within 30 s');
  await worker.acknowledge(held);
  const pids = [plane.mesh.service('gateway').pid ?? 0];
  const cpuBefore = cpuMsOfAll(pids);
  const tookMs = await timed(async () => {
    let offset = 0;
    for (const chunk of chunks) {
      await worker.appendLog(held, offset, chunk);
      offset += chunk.byteLength;
    }
  });
  const cpuMs = cpuMsOfAll(pids) - cpuBefore;
  const value = await intoFile(await bench.scene.directory('raw'), chunks);
  const raw = { what: 'writing a file', value };
  return [
    { name: 'log-bulk.uploaded-mib', value: perSecond(chunks, tookMs), unit: '/s', raw, note: 'by one runner' },
    { name: 'log-bulk.gateway-cpu', value: cpuMs / chunks.length, unit: 'ms', note: PER_MIB },
  ];
}

async function archived(bench: Bench, chunks: readonly Buffer[]): Promise<Figure[]> {
  const { logs } = new FileArtifactStore(await bench.scene.directory('logs'));
  for (const [at, chunk] of chunks.entries()) await logs.append(ATTEMPT, at * CHUNK_BYTES, chunk);
  const cpuBefore = process.cpuUsage();
  const tookMs = await timed(async () => logs.archive(ATTEMPT));
  const cpu = process.cpuUsage(cpuBefore);
  const cpuMs = (cpu.user + cpu.system) / 1_000;
  const readMs = await timed(async () => {
    for (const at of chunks.keys()) await logs.read(ATTEMPT, at * CHUNK_BYTES, CHUNK_BYTES);
  });
  const lineMs = await timed(async () => logs.read(ATTEMPT, (chunks.length * CHUNK_BYTES) / 2, 100));
  return [
    { name: 'log-bulk.archived-mib', value: perSecond(chunks, tookMs), unit: '/s', note: 'and read back, and flushed' },
    { name: 'log-bulk.archive-cpu', value: cpuMs / chunks.length, unit: 'ms', note: PER_MIB },
    { name: 'log-bulk.read-mib', value: perSecond(chunks, readMs), unit: '/s', note: 'out of the archive' },
    { name: 'log-bulk.line', value: lineMs, unit: 'ms', note: 'one in the middle, out of the archive' },
  ];
}

/** Lines as tools print them, of which no two are the same. */
function outputOf(chunk: number): Buffer {
  const lines: string[] = [];
  for (let [line, length] = [0, 0]; length < CHUNK_BYTES; line += 1) {
    const id = createHash('sha256').update(`${chunk} ${line}`).digest('hex').slice(0, 12);
    lines.push(`\u001b[32mPASS\u001b[0m packages/cart/test/${id}.spec.ts (${(line % 97) + 3} ms, attempt ${chunk})\n`);
    length += lines.at(-1)?.length ?? 0;
  }
  return Buffer.from(lines.join('')).subarray(0, CHUNK_BYTES);
}

async function intoFile(directory: string, chunks: readonly Buffer[]): Promise<number> {
  const file = await open(join(directory, 'log'), 'w');
  try {
    const tookMs = await timed(async () => {
      for (const chunk of chunks) await file.writeFile(chunk);
    });
    return perSecond(chunks, tookMs);
  } finally {
    await file.close();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const perSecond = (chunks: readonly Buffer[], tookMs: number): number => chunks.length / (tookMs / 1_000);
