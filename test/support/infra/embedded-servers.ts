import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createProgress,
  ensureNatsServer,
  ensurePostgresBinaries,
  openCache,
  startNatsServer,
  startPostgres,
} from '../../../tools/bootstrap/index.mjs';
import type { NatsForTests, PostgresForTests, TestServers } from './test-servers.ts';

/** Servers from npm, the cache or this machine, started as our own processes under a directory of this session. */
export function embeddedServers({ repoRoot, dir }: { readonly repoRoot: string; readonly dir: string }): TestServers {
  const progress = createProgress();
  let created = 0;
  return {
    kind: 'embedded',
    startPostgres: () =>
      progress.step('postgres', async (say): Promise<PostgresForTests> => {
        const cacheDir = await openCache({ repoRoot });
        const { binDir, version } = await ensurePostgresBinaries({ repoRoot, cacheDir });
        const server = await startPostgres({ binDir, dir: join(dir, 'postgres'), ephemeral: true });
        say(`${version} for these tests, embedded`);
        return server;
      }),
    async createNats(config) {
      const cacheDir = await openCache({ repoRoot });
      const { path } = await ensureNatsServer({ cacheDir, say: () => {} });
      created += 1;
      return embeddedNats({ path, dir: join(dir, `nats-${created}`), config });
    },
  };
}

interface NatsPlace {
  readonly path: string;
  readonly dir: string;
  readonly config: string;
}

async function embeddedNats({ path, dir, config }: NatsPlace): Promise<NatsForTests> {
  const start = (port?: number) =>
    startNatsServer({ path, dir, config, removeDirOnDeath: true, ...(port === undefined ? {} : { port }) });
  let server = await start();
  const { url, port, storeDir } = server;
  return {
    url,
    storeDir,
    isRunning: () => server.isRunning(),
    pid: () => (server.isRunning() ? server.pid : null),
    async start() {
      if (!server.isRunning()) server = await start(port);
    },
    stop: () => server.stop(),
    kill: () => server.kill(),
    async remove() {
      await server.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
