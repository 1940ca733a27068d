import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { migrate, provisionRoles } from '@delta-ci/event-log';
import { startNatsServer, startPostgres } from '../../bootstrap/index.mjs';
import type { Scene } from '../scene.ts';

/** A server that can be killed and comes back at the same address with what it had. */
export interface RestartableServer {
  readonly url: string;
  readonly pid: () => number;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

interface Started {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Postgres as an installation has it: it waits for the disk. */
export async function postgresServer(scene: Scene): Promise<RestartableServer> {
  const binDir = needed('DELTA_POSTGRES_BIN');
  const place = { binDir, dir: join(await scene.directory('postgres'), 'data'), database: 'delta' };
  return restartable(scene, async (port) => startPostgres({ ...place, ...port }));
}

/** nats-server with JetStream on disk. */
export async function natsServer(scene: Scene): Promise<RestartableServer> {
  const place = { path: needed('DELTA_NATS_SERVER'), dir: await scene.directory('nats') };
  return restartable(scene, async (port) => startNatsServer({ ...place, ...port }));
}

async function restartable(
  scene: Scene,
  start: (port: { port?: number }) => Promise<Started>,
): Promise<RestartableServer> {
  const first = await start({});
  let running = first;
  await scene.open(
    () => running,
    async () => running.stop(),
  );
  return {
    url: first.url,
    pid: () => running.pid,
    kill: async () => running.kill(),
    start: async () => {
      running = await start({ port: first.port });
    },
  };
}

export interface LogDatabase {
  readonly adminUrl: string;
  readonly orchestratorUrl: string;
}

/** A database with the log's schema and roles, nobody working in it. */
export async function logDatabase(scene: Scene): Promise<LogDatabase> {
  const { url: adminUrl } = await postgresServer(scene);
  await migrate({ adminUrl });
  const passwords = { orchestrator: randomBytes(16).toString('hex'), reader: randomBytes(16).toString('hex') };
  const { orchestratorUrl } = await provisionRoles({ adminUrl, passwords });
  return { adminUrl, orchestratorUrl };
}

/** A program that the bootstrap found and named in our environment. @throws when it did not */
export function needed(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '') throw new Error(`${variable} is not set: start me with "npm run bench"`);
  return value;
}
