import { DBOS } from '@dbos-inc/dbos-sdk';
import { startedDirectly } from '../started-directly.mjs';

/**
 * Durable workflows in Postgres, started directly: quicker than by way of its queue, which is polled.
 *
 * @type {import('../peer.mjs').Adapter}
 */
export default async function open({ databaseUrl, concurrency }) {
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: databaseUrl, logLevel: 'error', runAdminServer: false });
  const job = DBOS.registerWorkflow(async (n) => n, { name: 'job' });
  await DBOS.launch();
  const run = async (n) => (await DBOS.startWorkflow(job)(n)).getResult();
  return {
    ...startedDirectly(concurrency, run),
    close: async () => DBOS.shutdown(),
  };
}
