import { randomUUID } from 'node:crypto';
import { deliveryStream } from '@delta-ci/contracts';
import { LogWriter, openLog, type Submission } from '@delta-ci/event-log';
import pg from 'pg';
import type { Mesh } from '../mesh/mesh.ts';

export interface AppendMeasured {
  events: number;
  /** Events per second through decision, chain, projections and inbox, group-committed. */
  eventsPerSecond: number;
  /** Rows per second of a plain multi-row insert of the same size, 100 rows a statement, in the same database. */
  rawRowsPerSecond: number;
  ratio: number;
}

const IN_FLIGHT = 1_000;
const RAW_BATCH = 100;

/** Appends through the log's writer, and beside it the least that any writer would have to do. */
export async function measureAppend(mesh: Mesh, events: number): Promise<AppendMeasured> {
  const rawRowsPerSecond = await measureRaw(mesh.adminDatabaseUrl, events);
  const log = await openLog({ databaseUrl: mesh.orchestratorDatabaseUrl, applicationName: 'bench' });
  const writer = new LogWriter({ pool: log.pool });
  const started = performance.now();
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < events) {
      const answer = await writer.submit(ignoredDelivery((next += 1)));
      if (!answer.ok) throw new Error(answer.refusal.message);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
  const eventsPerSecond = (events / (performance.now() - started)) * 1_000;
  await writer.close();
  await log.close();
  return { events, eventsPerSecond, rawRowsPerSecond, ratio: eventsPerSecond / rawRowsPerSecond };
}

function ignoredDelivery(number: number): Submission {
  const deliveryId = `${number}-${randomUUID()}`;
  const data = {
    forge: 'github' as const,
    deliveryId,
    event: 'ping',
    payloadDigest: `sha256:${'0'.repeat(64)}`,
    reason: 'measured',
  };
  const events = [{ type: 'delivery.ignored' as const, data }];
  return {
    id: `bench-${deliveryId}`,
    actor: { kind: 'service', name: 'bench' },
    traceparent: null,
    causation: deliveryId,
    runs: [],
    decide: () => ({
      appends: [{ stream: deliveryStream('github', deliveryId), events }],
      answer: { ok: true, result: {} },
    }),
  };
}

async function measureRaw(databaseUrl: string, rows: number): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('CREATE TABLE bench_raw (id uuid PRIMARY KEY, position bigint NOT NULL, body text NOT NULL)');
  const body = 'x'.repeat(600);
  const started = performance.now();
  for (let from = 0; from < rows; from += RAW_BATCH) {
    const ids = Array.from({ length: RAW_BATCH }, () => randomUUID());
    const positions = ids.map((_, index) => from + index);
    const text = 'INSERT INTO bench_raw SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])';
    await client.query({ name: 'raw', text, values: [ids, positions, ids.map(() => body)] });
  }
  const perSecond = (rows / (performance.now() - started)) * 1_000;
  await client.query('DROP TABLE bench_raw');
  await client.end();
  return perSecond;
}
