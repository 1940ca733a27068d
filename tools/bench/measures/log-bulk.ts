import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { FileArtifactStore } from '@delta-ci/artifact-store';
import type { Bench, Measure } from '../measure.ts';
import { amount } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { controlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { cpuMsOfAll } from '../world/processes.ts';
import { needed } from '../world/servers.ts';
import { singleJobs } from '../world/single-jobs.ts';
import { httpWorkers } from '../world/workers.ts';

const CHUNK_BYTES = 1024 * 1024;
const CHUNKS = 60;
const PER_MIB = 'processor time for each MiB';
const ATTEMPT = { runId: `run_${'0'.repeat(32)}`, jobKey: 'bench', attempt: 1 };

export const logBulk: Measure = {
  name: 'log-bulk',
  what: 'a flood of output: by a step through its runner, into the gateway by the runner protocol (raw: into a file), then compressed and read again',
  run: async (bench) => {
    const chunks = Array.from({ length: amount(bench, CHUNKS) }, (_, at) => outputOf(at));
    return [...(await printed(bench, chunks)), ...(await uploaded(bench, chunks)), ...(await archived(bench, chunks))];
  },
};

/** What a runner does with a flood: reads it out of a sandbox, looks for secrets in it, sends it. Beside a job that prints nothing. */
async function printed({ scene, say }: Bench, [chunk, ...more]: readonly Buffer[]): Promise<Figure[]> {
  const pieces = 1 + more.length;
  const flood = 'i=0; while [ $i -lt PIECES ]; do cat lines; i=$((i+1)); done'.replace('PIECES', String(pieces));
  say(`${pieces} MiB of a step`);
  const jobs = await singleJobs(scene, { lines: chunk?.toString() ?? '' }, { DELTA_BWRAP: needed('DELTA_BWRAP') });
  const took = async (script: string) => {
    const { grantedAtMs, finishedAtMs, runnerCpuMs } = await jobs.carryOut({ tier: 'sandbox', script, warm: true });
    return { wallMs: finishedAtMs - grantedAtMs, cpuMs: runnerCpuMs };
  };
  const silent = await took('true');
  const loud = await took(flood);
  const floodMs = loud.wallMs - silent.wallMs;
  const note = 'of a step, beside a silent one';
  return [
    { name: 'log-bulk.printed-mib', value: (pieces / floodMs) * 1_000, unit: '/s', note },
    { name: 'log-bulk.runner-cpu', value: (loud.cpuMs - silent.cpuMs) / pieces, unit: 'ms', note: PER_MIB },
  ];
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
