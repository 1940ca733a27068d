import { totalmem } from 'node:os';
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';
import { defineMetrics } from './define-metrics.ts';

const NANOSECONDS = 1e9;
const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS = 1e6;

/**
 * How often the event loop is asked how late it is. Node's own monitor asks a hundred times a second, which was most of
 * what an idle process cost; a loop that is late often enough to matter is found out just as well by asking now and then.
 */
const LOOP_SAMPLE_MS = 1_000;

const processMetrics = {
  memory: { kind: 'gauge', name: 'process.memory.usage', unit: 'By', help: 'Resident memory', labels: [] },
  memoryLimit: {
    kind: 'gauge',
    name: 'delta.process_memory_limit_bytes',
    unit: 'By',
    help: 'Memory this process may use',
    labels: [],
  },
  uptime: { kind: 'gauge', name: 'process.uptime', unit: 's', help: 'Time since start', labels: [] },
  loopDelay: {
    kind: 'gauge',
    name: 'nodejs.eventloop.delay.p99',
    unit: 's',
    help: 'Event loop delay since the last look, 99th percentile',
    labels: [],
  },
  loopUtilization: {
    kind: 'gauge',
    name: 'nodejs.eventloop.utilization',
    unit: '1',
    help: 'Share of time the event loop was busy since the last look',
    labels: [],
  },
} as const;

/** The cgroup's limit, or the machine's memory where there is none (Node then answers 0 or 2^64). */
function memoryLimitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Measures this process; answers how to stop. */
export function watchProcess(meter: Meter): () => void {
  const instruments = defineMetrics(meter, processMetrics);
  const delay = createHistogram();
  const stopSampling = sampleLoopDelay(delay);
  let lastUtilization = performance.eventLoopUtilization();
  meter
    .createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time used' })
    .addCallback((result) => {
      const used = process.cpuUsage();
      result.observe(used.user / MICROSECONDS, { 'cpu.mode': 'user' });
      result.observe(used.system / MICROSECONDS, { 'cpu.mode': 'system' });
    });
  instruments.memory.observe((report) => report(process.memoryUsage.rss()));
  instruments.memoryLimit.observe((report) => report(memoryLimitBytes()));
  instruments.uptime.observe((report) => report(process.uptime()));
  instruments.loopDelay.observe((report) => {
    report(delay.percentile(99) / NANOSECONDS);
    delay.reset();
  });
  instruments.loopUtilization.observe((report) => {
    const current = performance.eventLoopUtilization();
    report(performance.eventLoopUtilization(current, lastUtilization).utilization);
    lastUtilization = current;
  });
  return stopSampling;
}

/** Records by how much a timer is late, in nanoseconds, until told to stop. Keeps no process alive. */
function sampleLoopDelay(delay: RecordableHistogram): () => void {
  let due = performance.now() + LOOP_SAMPLE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    // A histogram holds whole numbers from 1.
    delay.record(Math.max(1, Math.round((now - due) * NANOSECONDS_PER_MS)));
    due = now + LOOP_SAMPLE_MS;
  }, LOOP_SAMPLE_MS);
  timer.unref();
  return () => clearInterval(timer);
}
