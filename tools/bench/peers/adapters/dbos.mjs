import { DBOS } from '@dbos-inc/dbos-sdk';

/**
 * Durable workflows in Postgres, started directly: quicker than by way of its queue, which is polled.
 *
 * @type {import('../peer.mjs').Adapter}
 */
export default async function open({ databaseUrl, concurrency }) {
  let onDone = () => {};
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logLevel: 'error', runAdminServer: false });
  const job = DBOS.registerWorkflow(async (n) => n, { name: 'job' });
  await DBOS.launch();
  const waiting = [];
  let working = 0;
  const work = async () => {
    working += 1;
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      const handle = await DBOS.startWorkflow(job)(n);
      // Answers once the result is recorded.
      await handle.getResult();
      onDone();
    }
    working -= 1;
  };
  return {
    whenDone: (listener) => {
      onDone = listener;
    },
    enqueue: async (count) => {
      waiting.push(...Array.from({ length: count }, (_, n) => n));
      while (working < Math.min(concurrency, waiting.length)) void work();
    },
    close: async () => DBOS.shutdown(),
  };
}
