import { once } from 'node:events';
import { createServer } from 'node:http2';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createEndpointHandler, service } from '@restatedev/restate-sdk';
import { connect } from '@restatedev/restate-sdk-clients';
import serverPackage from '@restatedev/restate-server/package.json' with { type: 'json' };
import { onFreePorts, startServerProcess } from '../../../bootstrap/server-process.mjs';
import { startedDirectly } from '../started-directly.mjs';

const jobs = service({ name: 'jobs', handlers: { run: async (_context, n) => n } });

/** Durable invocations of a service, by its own server. @type {import('../peer.mjs').Adapter} */
export default async function open({ directory, concurrency }) {
  const handlers = createServer(createEndpointHandler({ services: [jobs] })).listen(0, '127.0.0.1');
  await once(handlers, 'listening');
  const { server, ingress } = await onFreePorts(['ingress', 'admin', 'node'], async (ports) => ({
    server: await startServer(directory, ports, `http://127.0.0.1:${handlers.address().port}`),
    ingress: ports.ingress,
  }));
  const client = connect({ url: `http://127.0.0.1:${ingress}` }).serviceClient(jobs);
  return { ...startedDirectly(concurrency, async (n) => client.run(n)), close: async () => server.kill() };
}

/** Becoming the leader of its own cluster takes a new server a few seconds: it is ready when it takes the handlers. */
function startServer(directory, { ingress, admin, node }, handlersUrl) {
  const platform = `${serverPackage.name}-${process.platform}-${process.arch}`;
  const settings = {
    RESTATE_BASE_DIR: directory,
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}/`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_LOG_FILTER: 'error',
  };
  return startServerProcess({
    name: 'Restate',
    command: createRequire(import.meta.url).resolve(`${platform}/bin/restate-server`),
    args: ['--no-logo'],
    env: settings,
    logFile: join(directory, 'restate.log'),
    isReady: () => takes(`http://127.0.0.1:${admin}`, handlersUrl),
    stopSignals: ['SIGKILL'],
  });
}

/** Tells the server where the handlers are. */
async function takes(adminUrl, uri) {
  const body = JSON.stringify({ uri });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${adminUrl}/deployments`, { method: 'POST', headers, body }).catch(() => null);
  return answer?.ok === true;
}
