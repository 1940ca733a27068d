import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/** Jobs in Redis that waits for the disk with every command. @type {import('../peer.mjs').Adapter} */
export default async function open({ redisPort, concurrency }) {
  const connect = () => new Redis(redisPort, '127.0.0.1', { maxRetriesPerRequest: null });
  const connections = [connect(), connect()];
  const queue = new Queue('bench', { connection: connections[0] });
  let onDone = () => {};
  const worker = new Worker('bench', async () => 'done', { connection: connections[1], concurrency });
  // Told after the completion is recorded.
  worker.on('completed', () => onDone());
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return {
    whenDone: (listener) => {
      onDone = listener;
    },
    enqueue: async (count) => {
      await queue.addBulk(Array.from({ length: count }, (_, n) => ({ name: 'job', data: { n } })));
    },
    close: async () => {
      await worker.close();
      await queue.close();
      for (const connection of connections) connection.disconnect();
    },
  };
}
