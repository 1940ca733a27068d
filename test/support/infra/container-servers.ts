import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getContainerRuntimeClient, getReaper, ImageName, Wait } from 'testcontainers';
import { freeLoopbackPort, natsConfiguration } from '../../../tools/bootstrap/index.mjs';
import { LoopbackContainer } from './loopback-container.ts';
import type { NatsForTests, PostgresForTests, TestServers } from './test-servers.ts';

const POSTGRES_IMAGE = 'postgres:17-alpine';
const NATS_IMAGE = 'nats:2.14-alpine';
const POSTGRES_PORT = 5432;
const NATS_PORT = 4222;
/** Docker's own default, stated: after it comes SIGKILL. */
const STOP_LIMIT_S = 10;

/**
 * Servers in containers of the local Docker engine; pulls the images first.
 *
 * @throws when the engine is not on this machine or an image can neither be found nor pulled
 */
export async function containerServers({ dir }: { readonly dir: string }): Promise<TestServers> {
  const client = await getContainerRuntimeClient();
  const { host } = client.info.containerRuntime;
  if (!['localhost', '127.0.0.1'].includes(host)) throw new Error(`the engine is on another machine, ${host}`);
  for (const image of [POSTGRES_IMAGE, NATS_IMAGE]) await client.image.pull(ImageName.fromString(image));
  await prepareReaper(client);
  let created = 0;
  return {
    kind: 'containers',
    startPostgres,
    async createNats(config) {
      created += 1;
      return createNats({ dir: join(dir, `nats-${created}`), config });
    },
  };
}

type RuntimeClient = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

/** The reaper removes our containers should we be killed. Its image may be out of reach; we clean up ourselves in any case. */
async function prepareReaper(client: RuntimeClient): Promise<void> {
  try {
    await getReaper(client);
  } catch {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  }
}

async function startPostgres(): Promise<PostgresForTests> {
  const password = randomBytes(18).toString('base64url');
  const port = await freeLoopbackPort();
  const container = await new LoopbackContainer(POSTGRES_IMAGE, { container: POSTGRES_PORT, host: port })
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withTmpFs({ '/var/lib/postgresql/data': 'rw' })
    .withCommand([
      '-c',
      'fsync=off',
      '-c',
      'synchronous_commit=off',
      '-c',
      'full_page_writes=off',
      '-c',
      'max_connections=200',
    ])
    // The image starts the server once to fill the new cluster and then again to stay.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start();
  return {
    superuserUrl: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await container.stop();
    },
  };
}

/** The store is a directory of ours, mounted and written as ourselves, so that tests can damage it like an embedded one. */
async function createNats({ dir, config }: { readonly dir: string; readonly config: string }): Promise<NatsForTests> {
  const storeDir = join(dir, 'jetstream');
  await mkdir(storeDir, { recursive: true });
  const listen = `0.0.0.0:${NATS_PORT}`; // inside the container; published on 127.0.0.1
  await writeFile(
    join(dir, 'nats-server.conf'),
    natsConfiguration({ name: 'delta', listen, storeDir: '/delta/jetstream', config }),
  );
  const port = await freeLoopbackPort();
  const started = await new LoopbackContainer(NATS_IMAGE, { container: NATS_PORT, host: port })
    .withBindMounts([{ source: dir, target: '/delta', mode: 'rw' }])
    .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
    .withCommand(['--config', '/delta/nats-server.conf'])
    .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
    .start();
  const container = (await getContainerRuntimeClient()).container.getById(started.getId());
  let running = true;
  return {
    url: `nats://127.0.0.1:${port}`,
    storeDir,
    isRunning: () => running,
    pid: () => null,
    async start() {
      if (!running) await startAgain(started.getId());
      running = true;
    },
    async stop() {
      await unlessEnded(container.stop({ t: STOP_LIMIT_S }));
      running = false;
    },
    async kill() {
      await unlessEnded(container.kill({ signal: 'SIGKILL' }));
      running = false;
    },
    async remove() {
      await unlessEnded(container.remove({ force: true, v: true }));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function startAgain(id: string): Promise<void> {
  const client = await getContainerRuntimeClient();
  const container = client.container.getById(id);
  const since = Math.floor(Date.now() / 1000);
  await container.start();
  const log = await client.container.logs(container, { since });
  for await (const chunk of log) {
    if (String(chunk).includes('Server is ready')) return;
  }
  throw new Error(`container ${id} ended while it started`);
}

/** 304 and 409: it has ended already; 404: it is gone already. */
async function unlessEnded(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    const ended = error instanceof Error && 'statusCode' in error && [304, 404, 409].includes(Number(error.statusCode));
    if (!ended) throw error;
  });
}
