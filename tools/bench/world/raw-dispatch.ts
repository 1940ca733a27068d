import { randomUUID } from 'node:crypto';
import { AckPolicy, RetentionPolicy, StorageType, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import pg from 'pg';
import type { Scene } from '../scene.ts';

const STREAM = 'RAW';
const SUBJECT = 'raw.jobs';
const WORKERS = 'workers';
/** Publications under way at once. */
const PIPELINED = 100;
/** A dispatch message of ours has about as many bytes. */
const BODY = Buffer.from('x'.repeat(250));
/** What a job leaves in the log, by the commits that it takes: one each for the grant and its activation, two for the end. */
const ROWS_OF_STEPS = [1, 1, 2] as const;
/** Jobs that are queued together, as those of a plan are: one row for each, committed before the first is published. */
const QUEUED_TOGETHER = 500;
const ROW_BYTES = 620;

export interface RawDispatch {
  readonly jobsPerSecond: number;
  readonly publishedPerSecond: number;
}

/**
 * The floor under any dispatcher, in the steps of a job. Jobs are queued by the hundred: a row for each, one commit, and a
 * message for each to a work queue on disk. `inFlight` workers take one job at a time: a message is delivered; one row is
 * committed (the grant), and only then is the message acknowledged; one row is committed (the activation); two rows are
 * committed (the end). Every step waits for the commit of the one before, because a runner cannot say more about a job
 * before it was told of it; each commit is shared by whoever else waits for one. So a job leaves five rows as long as
 * ours, in three commits one after the other beside its share of the queueing. Nothing is decided, chained or projected,
 * nobody asks and answers over the bus, and messages come before they are asked for.
 */
export async function rawDispatch(
  scene: Scene,
  servers: { natsUrl: string; databaseUrl: string },
  { jobs, inFlight }: { jobs: number; inFlight: number },
): Promise<RawDispatch> {
  const nats = await scene.open(
    async () => connect({ servers: servers.natsUrl }),
    async (connection) => connection.close(),
  );
  const rows = await scene.open(
    async () => GroupCommit.open(servers.databaseUrl),
    async (commit) => commit.close(),
  );
  await makeQueue(nats);
  const startedAt = performance.now();
  await Promise.all([queueAll(nats, rows, jobs), workAll(nats, rows, jobs, inFlight)]);
  const jobsPerSecond = (jobs / (performance.now() - startedAt)) * 1_000;
  const publishedPerSecond = await publishAll(nats, jobs);
  await (await jetstreamManager(nats)).streams.delete(STREAM);
  return { jobsPerSecond, publishedPerSecond };
}

async function makeQueue(nats: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nats);
  await manager.streams.add({
    name: STREAM,
    subjects: [SUBJECT],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
  });
  await manager.consumers.add(STREAM, {
    durable_name: WORKERS,
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 10_000,
  });
}

/** @returns publications per second */
async function publishAll(nats: NatsConnection, jobs: number): Promise<number> {
  const client = jetstream(nats);
  let left = jobs;
  const publisher = async (): Promise<void> => {
    while (left-- > 0) await client.publish(SUBJECT, BODY);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: PIPELINED }, publisher));
  return (jobs / (performance.now() - startedAt)) * 1_000;
}

async function queueAll(nats: NatsConnection, rows: GroupCommit, jobs: number): Promise<void> {
  for (let left = jobs; left > 0; left -= QUEUED_TOGETHER) {
    const together = Math.min(left, QUEUED_TOGETHER);
    await rows.record(together);
    await publishAll(nats, together);
  }
}

async function workAll(nats: NatsConnection, rows: GroupCommit, jobs: number, inFlight: number): Promise<void> {
  const consumer = await jetstream(nats).consumers.get(STREAM, WORKERS);
  const messages = await consumer.consume({ max_messages: inFlight });
  const queue = messages[Symbol.asyncIterator]();
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun++ < jobs) {
      const next = await queue.next();
      if (next.done === true) throw new Error('the queue ended before its jobs did');
      for (const [step, count] of ROWS_OF_STEPS.entries()) {
        await rows.record(count);
        if (step === 0) next.value.ack();
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  // Its watch over silence would keep the process alive. Closing instead would wait for whoever asks for the next message.
  messages.stop();
}

/** Rows of everybody who waits go into one statement and one commit. */
class GroupCommit {
  readonly #client: pg.Client;
  #waiting: { rows: number; done: PromiseWithResolvers<void> }[] = [];
  #position = 0;
  #busy = false;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(databaseUrl: string): Promise<GroupCommit> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('DROP TABLE IF EXISTS raw_jobs');
    await client.query('CREATE TABLE raw_jobs (position bigint PRIMARY KEY, stream text NOT NULL, body text NOT NULL)');
    return new GroupCommit(client);
  }

  record(rows: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ rows, done });
    if (!this.#busy) void this.#work();
    return done.promise;
  }

  async close(): Promise<void> {
    await this.#client.query('DROP TABLE IF EXISTS raw_jobs');
    await this.#client.end();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        await this.#insert(batch.reduce((total, { rows }) => total + rows, 0));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#busy = false;
  }

  async #insert(count: number): Promise<void> {
    const positions = Array.from({ length: count }, () => (this.#position += 1));
    const streams = positions.map(() => `run-${randomUUID()}`);
    const bodies = streams.map((stream) => stream.padEnd(ROW_BYTES, 'x'));
    const text = 'INSERT INTO raw_jobs SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])';
    await this.#client.query({ name: 'raw-jobs', text, values: [positions, streams, bodies] });
  }
}
