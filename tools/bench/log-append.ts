import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { DEFAULT_RUN_POLICY, runStream, type RunId } from '@delta-ci/contracts';
import { decideRun, type RunCommand } from '@delta-ci/domain';
import {
  LogWriter,
  migrate,
  openLog,
  provisionRoles,
  rebuildProjections,
  verifyChain,
  type Submission,
} from '@delta-ci/event-log';
import { aChange } from '../../test/support/made-up/change.ts';
import { aReport } from '../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../test/support/made-up/repository.ts';

/** What the log does in a second, and beside it what the database could do if nothing were decided or chained. */
export interface AppendMeasure {
  /** Multi-row `unnest` inserts of texts as long as our records, into a plain table with a primary key. */
  readonly raw: readonly RawMeasure[];
  readonly writer: readonly WriterMeasure[];
  readonly verifiedPerSecond: number;
  readonly rebuiltPerSecond: number;
}

export interface RawMeasure {
  readonly rowsPerInsert: number;
  readonly rowsPerSecond: number;
}

export interface WriterMeasure {
  /** Runs told at the same time: each waits for the answer to one command before it sends the next. */
  readonly storiesAtOnce: number;
  readonly eventsPerSecond: number;
  /** Events per second for each row per second of raw inserts of 100 rows, measured right before and right after. */
  readonly ofRawAt100: number;
  readonly submissionsPerSecond: number;
  readonly eventsPerBatch: number;
  readonly submitP50Ms: number;
  readonly submitP99Ms: number;
}

export interface AppendBenchOptions {
  /** As the orchestrator's role, in a database nobody else works in. */
  readonly databaseUrl: string;
  /** May create the table for the raw measure. */
  readonly adminUrl: string;
  readonly secondsEach: number;
}

const RAW_ROWS = [10, 100, 1_000] as const;
const STORIES_AT_ONCE = [1, 10, 50, 200, 1_000] as const;
/** A record of a simple run is about this long. */
const RECORD_BYTES = 620;

export async function measureAppend(options: AppendBenchOptions): Promise<AppendMeasure> {
  const raw = [];
  for (const rowsPerInsert of RAW_ROWS) raw.push(await measureRaw(options, rowsPerInsert));
  const writer = [];
  for (const storiesAtOnce of STORIES_AT_ONCE) writer.push(await measureBesideRaw(options, storiesAtOnce));
  const replay = await measureReplay(options);
  return { raw, writer, ...replay };
}

/** Other work on the machine changes from second to second: both sides are measured back to back. */
async function measureBesideRaw(options: AppendBenchOptions, storiesAtOnce: number): Promise<WriterMeasure> {
  const before = await measureRaw(options, 100);
  const measure = await measureWriter(options, storiesAtOnce);
  const after = await measureRaw(options, 100);
  const ofRawAt100 = round((2 * measure.eventsPerSecond) / (before.rowsPerSecond + after.rowsPerSecond));
  return { ...measure, ofRawAt100 };
}

async function measureRaw({ adminUrl, secondsEach }: AppendBenchOptions, rowsPerInsert: number): Promise<RawMeasure> {
  const log = await openLog({ databaseUrl: adminUrl, applicationName: 'bench-raw', hotConnectionsMax: 1 });
  try {
    await log.pool.query('DROP TABLE IF EXISTS raw_rows');
    await log.pool.query(
      'CREATE TABLE raw_rows (position bigint PRIMARY KEY, stream text NOT NULL, body text NOT NULL)',
    );
    const text = 'INSERT INTO raw_rows SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])';
    const streams = Array.from({ length: rowsPerInsert }, () => `run-run_${randomBytes(16).toString('hex')}`);
    const bodies = streams.map((stream) => JSON.stringify({ stream }).padEnd(RECORD_BYTES, 'x'));
    let rows = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < secondsEach * 1_000) {
      const positions = streams.map((_, index) => rows + index + 1);
      await log.pool.query({ name: 'raw', text, values: [positions, streams, bodies] });
      rows += rowsPerInsert;
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    await log.pool.query('DROP TABLE raw_rows');
    return { rowsPerInsert, rowsPerSecond: Math.round(rows / seconds) };
  } finally {
    await log.close();
  }
}

async function measureWriter(
  options: AppendBenchOptions,
  storiesAtOnce: number,
): Promise<Omit<WriterMeasure, 'ofRawAt100'>> {
  const log = await openLog({ databaseUrl: options.databaseUrl, applicationName: 'bench-writer' });
  let [batches, events, submissions] = [0, 0, 0];
  const writer = new LogWriter({
    pool: log.pool,
    onCommit: (batch) => {
      batches += 1;
      events += batch.events;
      submissions += batch.submissions;
    },
  });
  const tookMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + options.secondsEach * 1_000;
  await Promise.all(Array.from({ length: storiesAtOnce }, () => tellUntil(writer, endsAt, tookMs)));
  const seconds = (performance.now() - startedAt) / 1_000;
  await writer.close();
  await log.close();
  tookMs.sort((a, b) => a - b);
  return {
    storiesAtOnce,
    eventsPerSecond: Math.round(events / seconds),
    submissionsPerSecond: Math.round(submissions / seconds),
    eventsPerBatch: Math.round(events / batches),
    submitP50Ms: round(tookMs[Math.floor(tookMs.length * 0.5)] ?? 0),
    submitP99Ms: round(tookMs[Math.floor(tookMs.length * 0.99)] ?? 0),
  };
}

const round = (ms: number): number => Math.round(ms * 100) / 100;

async function tellUntil(writer: LogWriter, endsAt: number, tookMs: number[]): Promise<void> {
  while (performance.now() < endsAt) {
    for (const submission of simpleRun(randomBytes(8).toString('hex'))) {
      const sentAt = performance.now();
      const answer = await writer.submit(submission);
      tookMs.push(performance.now() - sentAt);
      if (!answer.ok) throw new Error(`${submission.id}: ${answer.refusal.message}`);
    }
  }
}

async function measureReplay({ databaseUrl }: AppendBenchOptions) {
  const log = await openLog({ databaseUrl, applicationName: 'bench-replay' });
  try {
    let startedAt = performance.now();
    const verified = await verifyChain(log);
    if (!verified.ok) throw new Error(`position ${verified.firstBadPosition}: ${verified.problem}`);
    const verifiedPerSecond = Math.round(verified.checked / ((performance.now() - startedAt) / 1_000));
    startedAt = performance.now();
    const rebuilt = await rebuildProjections({ databaseUrl });
    if (!rebuilt.equal) throw new Error('the rebuilt tables differ from the live ones');
    const rebuiltPerSecond = Math.round(rebuilt.position / ((performance.now() - startedAt) / 1_000));
    return { verifiedPerSecond, rebuiltPerSecond };
  } finally {
    await log.close();
  }
}

const REPOSITORY = aRepository({ id: 'local/bench/widgets', forge: 'local', fullName: 'bench/widgets' });
const CHANGE = aChange();
const JOB = aJobState('unit');
const REPORT = aReport();

/** The commands of a run with one job: eleven events. */
function simpleRun(name: string): Submission[] {
  const mark = createHash('sha256').update(name).digest('hex');
  const runId: RunId = `run_${mark.slice(0, 32)}`;
  const lease = { leaseHash: mark, runnerId: `rnr_${mark.slice(0, 32)}` };
  const commands: RunCommand[] = [
    {
      type: 'create-run',
      data: { runId, repository: REPOSITORY, change: CHANGE, policy: DEFAULT_RUN_POLICY, rerun: null },
    },
    { type: 'record-plan', planDigest: `sha256:${mark}`, policy: DEFAULT_RUN_POLICY, jobs: [JOB], summary: 'a plan' },
    { type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease },
    { type: 'acknowledge-lease', ...lease },
    { type: 'complete-attempt', ...lease, report: REPORT },
  ];
  return commands.map((command) => submissionOf(`${name}.${command.type}`, runId, command));
}

function submissionOf(id: string, runId: RunId, command: RunCommand): Submission {
  return {
    id,
    actor: { kind: 'service', name: 'bench' },
    traceparent: null,
    causation: id,
    runs: [runId],
    decide(view) {
      const { kind, events, ...rest } = decideRun(command, view.run(runId), { nowMs: view.nowMs });
      const appends = [{ stream: runStream(runId), events }];
      if ('refusal' in rest) return { appends, answer: { ok: false, refusal: rest.refusal } };
      return { appends, answer: { ok: true, result: { kind } } };
    },
  };
}

/** `node tools/bench/log-append.ts <administrator's URL of an empty database> [seconds for each measure]` */
if (import.meta.main) {
  const [adminUrl, seconds = '3'] = process.argv.slice(2);
  if (adminUrl === undefined)
    throw new Error("the URL of an empty database is missing, as that database's administrator");
  await migrate({ adminUrl });
  const passwords = { orchestrator: randomBytes(16).toString('hex'), reader: randomBytes(16).toString('hex') };
  const { orchestratorUrl } = await provisionRoles({ adminUrl, passwords });
  const measure = await measureAppend({ databaseUrl: orchestratorUrl, adminUrl, secondsEach: Number(seconds) });
  process.stdout.write(`${JSON.stringify(measure, null, 2)}\n`);
}
