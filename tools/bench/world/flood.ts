import { fork } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { pushDelivery } from '../../../test/support/fake-forge/webhook-deliveries.ts';
import type { Scene } from '../scene.ts';
import { HttpClient, type HttpAnswer } from './http-client.ts';

/**
 * Somebody who sends webhooks over many connections, each the next as soon as the last is answered. Who is told to come
 * again later does so.
 */
export interface FloodOrder {
  readonly gatewayUrl: string;
  readonly secret: string;
  readonly repository: string;
  readonly cloneUrl: string;
  readonly connections: number;
}

/** What became of the requests. */
export interface FloodTally {
  /** By status, or by the code of the error for connections that failed. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** Refusals with 429 or 503 that did not say when to come again. */
  readonly withoutRetryAfter: number;
  /** Of the answers with 202, the slowest. */
  readonly slowestAcceptedMs: number;
}

/** A process of its own and of low priority: it stands for clients, which have other machines to run on. */
const NICE = 10;

export interface Flood {
  /** Ends it and tells what became of everything it sent. */
  readonly stop: () => Promise<FloodTally>;
}

export async function flood(scene: Scene, order: FloodOrder): Promise<Flood> {
  const child = await scene.open(
    () => fork(import.meta.filename, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    async (opened) => {
      if (opened.exitCode !== null || opened.signalCode !== null) return;
      const gone = once(opened, 'exit');
      opened.kill();
      await gone;
    },
  );
  child.send(order);
  await once(child, 'message');
  return {
    stop: async () => {
      const told = once(child, 'message');
      child.send('stop');
      const [tally] = (await told) as [FloodTally];
      return tally;
    },
  };
}

async function sendUntilStopped(order: FloodOrder): Promise<void> {
  const client = new HttpClient(order.gatewayUrl);
  const byStatus: Record<string, number> = {};
  let [withoutRetryAfter, slowestAcceptedMs] = [0, 0];
  const over = new AbortController();
  const note = (answer: HttpAnswer, tookMs: number): number => {
    const { status, headers } = answer;
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    if (status === 202) slowestAcceptedMs = Math.max(slowestAcceptedMs, tookMs);
    if (status !== 429 && status !== 503) return 0;
    const retryAfter = headers['retry-after'];
    if (retryAfter === undefined) withoutRetryAfter += 1;
    return Number(retryAfter ?? 0) * 1_000;
  };
  const sender = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const sentAt = performance.now();
      try {
        const answer = await deliverOne(client, order);
        await pause(note(answer, performance.now() - sentAt));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'cut';
        byStatus[code] = (byStatus[code] ?? 0) + 1;
      }
    }
  };
  process.once('message', () => {
    over.abort();
    process.send?.({ byStatus, withoutRetryAfter, slowestAcceptedMs } satisfies FloodTally, () => process.exit(0));
  });
  process.send?.('begun');
  await Promise.all(Array.from({ length: order.connections }, sender));
}

function deliverOne(client: HttpClient, { secret, repository, cloneUrl }: FloodOrder): Promise<HttpAnswer> {
  const after = randomUUID().replaceAll('-', '').padEnd(40, '0');
  const commit = { ref: `refs/heads/b-${after}`, before: '0'.repeat(40), after, message: 'one of many' };
  const { id, event, body } = pushDelivery(repository, cloneUrl, commit);
  const headers = {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
  };
  return client.send('POST', '/api/v1/webhooks/github', headers, body);
}

if (import.meta.main) {
  setPriority(NICE);
  process.once('disconnect', () => process.exit(0));
  const [order] = (await once(process, 'message')) as [FloodOrder];
  await sendUntilStopped(order);
}
