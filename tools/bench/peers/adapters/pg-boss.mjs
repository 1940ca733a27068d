import { PgBoss } from 'pg-boss';

/** How soon a worker that found nothing looks again: an idle one would otherwise add half a second to every job. */
const LOOK_AGAIN_MS = 2;

/** Jobs in Postgres, taken and completed one by one by as many workers. @type {import('../peer.mjs').Adapter} */
export default async function open({ databaseUrl, concurrency }) {
  let onDone = () => {};
  const over = new AbortController();
  const boss = new PgBoss({ connectionString: databaseUrl, max: concurrency + 2, supervise: false, schedule: false });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue('bench');
  const work = async () => {
    while (!over.signal.aborted) {
      const [job] = await boss.fetch('bench');
      if (job === undefined) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
        continue;
      }
      await boss.complete('bench', job.id, { done: true });
      onDone();
    }
  };
  const workers = Promise.all(Array.from({ length: concurrency }, work));
  return {
    whenDone: (listener) => {
      onDone = listener;
    },
    enqueue: async (count) => {
      await boss.insert(
        'bench',
        Array.from({ length: count }, (_, n) => ({ data: { n } })),
      );
    },
    close: async () => {
      over.abort();
      await workers;
      await boss.stop({ graceful: false });
    },
  };
}
