import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { getContainerRuntimeClient, getReaper, ImageName, Wait } from 'testcontainers';
import { createProgress, natsConfiguration } from '../../../tools/bootstrap/index.mjs';
import { LoopbackContainer } from './loopback-container.ts';
import { NATS_IMAGE, POSTGRES_IMAGE } from './container-images.ts';
import { eventually } from './eventually.ts';
import { readLine } from './messages.ts';
import type { NatsForTests, PostgresForTests, TestServers } from './test-servers.ts';

const POSTGRES_PORT = 5432;
const NATS_PORT = 4222;
/** The server is up by then; what is tried is the way to it. */
const REACH_LIMIT_MS = 3_000;
/** Docker's own default, stated: after it comes SIGKILL. */
const STOP_LIMIT_S = 10;

/**
 * Servers in containers of the local Docker engine; pulls the images first and tries one out.
 *
 * @throws when an image can neither be found nor pulled, or when a container that runs cannot be reached from here (the
 *   engine is on another machine, or we are in a container ourselves)
 */
export async function containerServers({ dir }: { readonly dir: string }): Promise<TestServers> {
  const client = await getContainerRuntimeClient();
  for (const image of [POSTGRES_IMAGE, NATS_IMAGE]) await pull(client, image);
  await prepareReaper(client);
  await proveReach(join(dir, 'nats-trial'));
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

async function pull(client: RuntimeClient, image: string): Promise<void> {
  if (await client.image.exists(ImageName.fromString(image))) return;
  await createProgress().step('docker', async (say) => {
    say(`pulling ${image}...`);
    await client.image.pull(ImageName.fromString(image));
    say(`pulled ${image}`);
  });
}

/**
 * The reaper removes our containers should we be killed. Its image may be out of reach; we clean up ourselves in
 * any case.
 */
async function prepareReaper(client: RuntimeClient): Promise<void> {
  try {
    await getReaper(client);
  } catch {
    process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  }
}

async function proveReach(dir: string): Promise<void> {
  const trial = await createNats({ dir, config: '' });
  try {
    await eventually('a container that runs can be reached from here', () => greets(trial.url), {
      deadline_ms: REACH_LIMIT_MS,
    });
  } finally {
    await trial.remove();
  }
}

async function startPostgres(): Promise<PostgresForTests> {
  const password = randomBytes(18).toString('base64url');
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200'];
  const { started, port } = await LoopbackContainer.start(POSTGRES_IMAGE, POSTGRES_PORT, (container) =>
    container
      .withEnvironment({ POSTGRES_PASSWORD: password })
      .withTmpFs({ '/var/lib/postgresql/data': 'rw' })
      .withCommand(settings.flatMap((setting) => ['-c', setting]))
      // The image starts the server once to fill the new cluster and then again to stay.
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2)),
  );
  return {
    superuserUrl: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await started.stop();
    },
  };
}

/**
 * The store is a directory of ours, mounted and written as ourselves, so that tests can damage it like an embedded
 * one.
 */
async function createNats({ dir, config }: { readonly dir: string; readonly config: string }): Promise<NatsForTests> {
  const storeDir = join(dir, 'jetstream');
  await mkdir(storeDir, { recursive: true });
  const listen = `0.0.0.0:${NATS_PORT}`; // inside the container; published on 127.0.0.1
  await writeFile(
    join(dir, 'nats-server.conf'),
    natsConfiguration({ name: 'delta', listen, storeDir: '/delta/jetstream', config }),
  );
  const { started, port } = await LoopbackContainer.start(NATS_IMAGE, NATS_PORT, (described) =>
    described
      .withBindMounts([{ source: dir, target: '/delta', mode: 'rw' }])
      .withUser(`${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
      .withCommand(['--config', '/delta/nats-server.conf'])
      .withWaitStrategy(Wait.forLogMessage(/Server is ready/)),
  );
  const container = (await getContainerRuntimeClient()).container.getById(started.getId());
  let running = true;
  const url = `nats://127.0.0.1:${port}`;
  return {
    url,
    storeDir,
    isRunning: () => running,
    pid: () => null,
    async start() {
      if (running) return;
      await container.start();
      await eventually('nats-server answers again', () => greets(url));
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

/** Whether a nats-server answers: it speaks first. Docker's own proxy accepts connections before that. */
async function greets(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  try {
    return (await readLine(socket)).startsWith('INFO ');
  } finally {
    socket.destroy();
  }
}

/** 304 and 409: it has ended already; 404: it is gone already. */
async function unlessEnded(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
    if (![304, 404, 409].includes(Number(status))) throw error;
  });
}
