import { Logger, makeWorkerUtils, run } from 'graphile-worker';

/** Jobs in Postgres, fetched one by one by workers that are notified. @type {import('../peer.mjs').Adapter} */
export default async function open({ databaseUrl, concurrency }) {
  let onDone = () => {};
  const quiet = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger: quiet });
  await utils.migrate();
  const runner = await run({
    connectionString: databaseUrl,
    concurrency,
    logger: quiet,
    noHandleSignals: true,
    taskList: { bench: async () => undefined },
  });
  // Told after the completion is recorded.
  runner.events.on('job:complete', () => onDone());
  return {
    whenDone: (listener) => {
      onDone = listener;
    },
    enqueue: async (count) => {
      await utils.addJobs(Array.from({ length: count }, (_, n) => ({ identifier: 'bench', payload: { n } })));
    },
    close: async () => {
      await runner.stop();
      await utils.release();
    },
  };
}
