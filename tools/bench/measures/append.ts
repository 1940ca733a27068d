import { randomBytes } from 'node:crypto';
import { LogWriter, openLog } from '@delta-ci/event-log';
import pg from 'pg';
import type { Bench, Measure } from '../measure.ts';
import { amount } from '../measure.ts';
import type { Figure } from '../report/figure.ts';
import { percentile } from '../report/percentile.ts';
import { logDatabase, type LogDatabase } from '../world/servers.ts';
import { tell, wholeRun } from '../world/stories.ts';

const SECONDS = 5;
const RAW_ROWS = 100;
/** Runs told at the same time: each waits for the answer to one command before it sends the next. */
const AT_ONCE = [1, 10, 100, 1_000] as const;
/** A record of a simple run is about this long. */
const RECORD_BYTES = 620;

export const append: Measure = {
  name: 'append',
  what: 'events per second through decision, chain, projections and inbox; raw: a multi-row insert of 100 rows as long',
  run: async (bench) => {
    const database = await logDatabase(bench.scene);
    const figures: Figure[] = [];
    for (const atOnce of AT_ONCE) figures.push(...(await besideRaw(bench, database, atOnce)));
    return figures;
  },
};

/** Other work on the machine changes from second to second: the raw side is measured right before and right after. */
async function besideRaw(bench: Bench, database: LogDatabase, atOnce: number): Promise<Figure[]> {
  bench.say(`${atOnce} runs at once`);
  const seconds = amount(bench, SECONDS * 10) / 10;
  const before = await rawRowsPerSecond(database.adminUrl, seconds / 2);
  const { eventsPerSecond, eventsPerBatch, tookMs } = await tellFor(database.orchestratorUrl, atOnce, seconds);
  const after = await rawRowsPerSecond(database.adminUrl, seconds / 2);
  const raw = { what: 'a multi-row insert of 100', value: (before + after) / 2 };
  const full = atOnce === AT_ONCE.at(-1);
  const name = full ? 'append.run-events' : `append.run-events-at-${atOnce}`;
  const note = `${atOnce} runs at once, ${Math.round(eventsPerBatch)} events a transaction`;
  return [
    { name, value: eventsPerSecond, unit: '/s', raw, note },
    { name: `append.answer-p50-at-${atOnce}`, value: percentile(tookMs, 0.5), unit: 'ms' },
    { name: `append.answer-p99-at-${atOnce}`, value: percentile(tookMs, 0.99), unit: 'ms' },
  ];
}

async function tellFor(databaseUrl: string, atOnce: number, seconds: number) {
  const log = await openLog({ databaseUrl, applicationName: 'bench' });
  let [events, batches] = [0, 0];
  const onCommit = (batch: { events: number }): void => {
    events += batch.events;
    batches += 1;
  };
  const writer = new LogWriter({ pool: log.pool, onCommit });
  const tookMs: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  try {
    await tell(
      writer,
      atOnce,
      () => (performance.now() < endsAt ? wholeRun() : null),
      (ms) => tookMs.push(ms),
    );
    const perSecond = (events / (performance.now() - startedAt)) * 1_000;
    return { eventsPerSecond: perSecond, eventsPerBatch: events / batches, tookMs };
  } finally {
    await writer.close();
    await log.close();
  }
}

/** Multi-row inserts by `unnest` into a plain table with a primary key. */
async function rawRowsPerSecond(adminUrl: string, seconds: number): Promise<number> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('CREATE TABLE raw_rows (position bigint PRIMARY KEY, stream text NOT NULL, body text NOT NULL)');
    const text = 'INSERT INTO raw_rows SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])';
    const streams = Array.from({ length: RAW_ROWS }, () => `run-run_${randomBytes(16).toString('hex')}`);
    const bodies = streams.map((stream) => JSON.stringify({ stream }).padEnd(RECORD_BYTES, 'x'));
    let rows = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < seconds * 1_000) {
      const positions = streams.map((_, index) => rows + index + 1);
      await client.query({ name: 'raw', text, values: [positions, streams, bodies] });
      rows += RAW_ROWS;
    }
    const perSecond = (rows / (performance.now() - startedAt)) * 1_000;
    await client.query('DROP TABLE raw_rows');
    return perSecond;
  } finally {
    await client.end();
  }
}
