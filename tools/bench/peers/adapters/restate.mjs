import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';
import { serve, service } from '@restatedev/restate-sdk';
import { connect } from '@restatedev/restate-sdk-clients';
import serverPackage from '@restatedev/restate-server/package.json' with { type: 'json' };
import { startedDirectly } from '../started-directly.mjs';

/** Becoming the leader of its own cluster takes a new server a few seconds. */
const READY_LIMIT_MS = 60_000;

const jobs = service({ name: 'jobs', handlers: { run: async (_context, n) => n } });

/** Durable invocations of a service, by its own server. @type {import('../peer.mjs').Adapter} */
export default async function open({ directory, freePort, concurrency }) {
  const [ingress, admin, node, handlers] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const server = startServer({ directory, ingress, admin, node });
  await serve({ services: [jobs], port: handlers, host: '127.0.0.1' });
  await registered(`http://127.0.0.1:${admin}`, `http://127.0.0.1:${handlers}`);
  const client = connect({ url: `http://127.0.0.1:${ingress}` }).serviceClient(jobs);
  return {
    ...startedDirectly(concurrency, async (n) => client.run(n)),
    close: async () => {
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
  };
}

function startServer({ directory, ingress, admin, node }) {
  const platform = `${serverPackage.name}-${process.platform}-${process.arch}`;
  const program = createRequire(import.meta.url).resolve(`${platform}/bin/restate-server`);
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
  return spawn(program, ['--no-logo'], { env: settings, cwd: directory, stdio: ['ignore', 'ignore', 'ignore'] });
}

/** Tells the server where the handlers are, again and again until it is ready to hear it. */
async function registered(adminUrl, uri) {
  const giveUpAt = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const body = JSON.stringify({ uri });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${adminUrl}/deployments`, { method: 'POST', headers, body }).catch(() => null);
    if (answer?.ok === true) return;
    if (performance.now() > giveUpAt) {
      throw new Error(`Restate took no handlers: ${answer === null ? 'no answer' : await answer.text()}`);
    }
    await pause(100);
  }
}
