import { measureAppend, type AppendMeasured } from './append-rate.ts';
import { startBenchMesh } from './bench-mesh.ts';
import { measureJobs, type JobsMeasured } from './jobs-through-the-protocol.ts';
import { describeMachine, type Machine } from './machine.ts';
import { measureWebhookToLease, type LatencyMeasured } from './webhook-to-lease.ts';

interface Report {
  measuredAt: string;
  machine: Machine;
  append: AppendMeasured;
  jobs: JobsMeasured;
  webhookToLease: LatencyMeasured;
}

const USAGE = `npm run bench -- [--json] [--quick]

Measures the control plane on real servers: events appended per second beside a raw multi-row insert, jobs per second
through the whole runner protocol, and the time from webhook to lease of an idle system.

  --json    only the JSON
  --quick   a tenth of the work, for a look
`;

const flags = new Set(process.argv.slice(2));
if (flags.has('--help')) {
  process.stdout.write(USAGE);
} else {
  const report = await measure(flags.has('--quick') ? 0.1 : 1);
  process.stdout.write(flags.has('--json') ? '' : `${table(report)}\n`);
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

async function measure(share: number): Promise<Report> {
  const machine = describeMachine();
  const bench = await startBenchMesh({ durable: true });
  try {
    progress('appending events');
    const append = await measureAppend(bench.mesh, 50_000 * share);
    progress('running jobs through the protocol');
    await measureJobs(bench, 100, 10);
    const jobs = await measureJobs(bench, 2_000 * share, 20);
    progress('webhook to lease');
    const webhookToLease = await measureWebhookToLease(100 * share);
    return { measuredAt: new Date().toISOString(), machine, append, jobs, webhookToLease };
  } finally {
    await bench.stop();
  }
}

function progress(what: string): void {
  process.stderr.write(`  ${what} ...\n`);
}

function table({ machine, append, jobs, webhookToLease }: Report): string {
  const rows = [
    [
      'events appended per second',
      append.eventsPerSecond.toFixed(0),
      `${append.ratio.toFixed(2)} of a raw multi-row insert (${append.rawRowsPerSecond.toFixed(0)}/s)`,
    ],
    [
      'jobs per second through HTTP',
      jobs.jobsPerSecond.toFixed(0),
      `${jobs.jobs} no-op jobs, ${jobs.runners} runners, ${jobs.twice} run twice`,
    ],
    [
      'webhook to lease, p50',
      `${webhookToLease.p50Ms.toFixed(1)} ms`,
      `${webhookToLease.changes} changes, planned from real git`,
    ],
    ['webhook to lease, p99', `${webhookToLease.p99Ms.toFixed(1)} ms`, ''],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(
    ([what = '', figure = '', note = '']) =>
      `${what.padEnd(widths[0] ?? 0)}  ${figure.padStart(widths[1] ?? 0)}  ${note}`,
  );
  const where = `${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, load before ${machine.loadBefore}; node ${machine.versions['node']}, ${machine.versions['postgres']}`;
  return [where, ...lines].join('\n');
}
