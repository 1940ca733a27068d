import { setTimeout as pause } from 'node:timers/promises';
import { amount, type Measure } from '../measure.ts';
import { percentile } from '../report/percentile.ts';
import { api, controlPlane } from '../world/control-plane.ts';
import { HttpClient } from '../world/http-client.ts';
import { httpWorkers, type HeldLease, type HttpWorker } from '../world/workers.ts';

const CHUNKS = 200;
const EVERY_MS = 50;

export const logFollow: Measure = {
  name: 'log-follow',
  what: 'from a runner sending a piece of its log to a reader who follows it; raw: the runner having its answer',
  run: async (bench) => {
    const plane = await controlPlane(bench.scene);
    const client = await bench.scene.open(
      () => new HttpClient(plane.mesh.gatewayUrl),
      (opened) => opened.close(),
    );
    const [worker] = await httpWorkers(client, plane.mesh.registrationToken, 1);
    if (worker === undefined) throw new Error('no runner');
    await plane.queueJobs(1);
    const held = await worker.lease(30);
    if (held === null) throw new Error('no lease within 30 s');
    await worker.acknowledge(held);
    const heardAt = new Map<string, number>();
    const over = await bench.scene.open(
      () => new AbortController(),
      (opened) => opened.abort(),
    );
    const url = `/runs/${held.runId}/jobs/${held.jobKey}/log?follow=1`;
    const stream = await api(plane.mesh, url, { signal: over.signal });
    void hear(stream, heardAt).catch(() => undefined);
    const { sentAt, answeredMs } = await write(worker, held, amount(bench, CHUNKS));
    await pause(1_000);
    const lateMs = [...sentAt].map(([mark, at]) => (heardAt.get(mark) ?? Number.POSITIVE_INFINITY) - at);
    const raw = { what: 'the answer to the runner', value: percentile(answeredMs, 0.5) };
    return [
      { name: 'log-follow.p50', value: percentile(lateMs, 0.5), unit: 'ms', raw, note: `${lateMs.length} pieces` },
      { name: 'log-follow.p99', value: percentile(lateMs, 0.99), unit: 'ms' },
    ];
  },
};

async function write(worker: HttpWorker, held: HeldLease, chunks: number) {
  const sentAt = new Map<string, number>();
  const answeredMs: number[] = [];
  let offset = 0;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const mark = `<${chunk}>`;
    const bytes = Buffer.from(`a line of the log ${mark}\n`);
    const startedAt = performance.now();
    sentAt.set(mark, startedAt);
    await worker.appendLog(held, offset, bytes);
    answeredMs.push(performance.now() - startedAt);
    offset += bytes.byteLength;
    await pause(EVERY_MS);
  }
  return { sentAt, answeredMs };
}

/** Notes when each mark came in, until the stream is cut. */
async function hear(stream: Response, heardAt: Map<string, number>): Promise<void> {
  for await (const text of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const at = performance.now();
    for (const [mark] of text.matchAll(/<\d+>/g)) if (!heardAt.has(mark)) heardAt.set(mark, at);
  }
}
