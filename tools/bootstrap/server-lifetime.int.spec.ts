import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { eventually } from '../../test/support/infra/index.ts';
import {
  ensureNatsServer,
  ensurePostgresBinaries,
  onFreePorts,
  openCache,
  removeOnDeath,
  startNatsServer,
  startPostgres,
} from './index.mjs';
import { isAlive } from './lock-file.mjs';
import { hasEnded, isGone, runUntilFirstLine } from './owner-that-dies.fixture.ts';

const here = dirname(fileURLToPath(import.meta.url));
const repoRoot = resolve(here, '../..');

describe('embedded servers', () => {
  let dir: string;
  let watch: ReturnType<typeof removeOnDeath>;
  let natsServer: string;
  let binDir: string;
  beforeAll(async () => {
    // Started by root, Postgres runs as another account, which must get there: TMPDIR may be closed, this is not.
    dir = await mkdtemp(join(process.getuid?.() === 0 ? '/var/tmp' : tmpdir(), 'delta-servers-'));
    watch = removeOnDeath(dir);
    await chmod(dir, 0o711);
    const cacheDir = await openCache({ repoRoot });
    natsServer = (await ensureNatsServer({ cacheDir, say: () => {} })).path;
    binDir = (await ensurePostgresBinaries({ repoRoot, cacheDir })).binDir;
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
    watch.release();
  });

  const natsOptions = (place: string): string =>
    JSON.stringify({ path: natsServer, dir: place, removeDirOnDeath: true });

  it('end and leave no files when the process that started them is killed', async () => {
    const [nats, postgres] = [join(dir, 'killed-nats'), join(dir, 'killed-postgres')];
    const { child, line } = await runUntilFirstLine([
      `const nats = await bootstrap.startNatsServer(${natsOptions(nats)});`,
      `const postgres = await bootstrap.startPostgres(${JSON.stringify({ binDir, dir: postgres, ephemeral: true })});`,
      'console.log([nats.pid, postgres.pid].join(" "));',
      'setInterval(() => {}, 1000);',
    ]);
    const pids = line.split(' ').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    child.kill('SIGKILL');
    for (const pid of pids) await eventually(`process ${pid} has ended`, () => hasEnded(pid));
    for (const place of [nats, postgres]) await eventually(`${place} is gone`, () => isGone(place));
  });

  it('do not keep the process that started them alive', async () => {
    const place = join(dir, 'idle-nats');
    const { child, line } = await runUntilFirstLine([
      `const nats = await bootstrap.startNatsServer(${natsOptions(place)});`,
      'console.log(nats.pid);',
    ]);
    await eventually('the process has ended by itself', () => child.exitCode === 0);
    await eventually('its server has ended', () => hasEnded(Number(line)));
    await eventually('its directory is gone', () => isGone(place));
  });

  it('say in one line that their port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    const bound = await eventually('a port', () => taken.address());
    const port = typeof bound === 'string' ? 0 : bound.port;
    await expect(startNatsServer({ path: natsServer, dir: join(dir, 'taken-nats'), port })).rejects.toThrow(
      /^nats-server ended while it started \(.*in use.*\): see .*$/,
    );
    await expect(startPostgres({ binDir, dir: join(dir, 'taken-pg'), port, ephemeral: true })).rejects.toThrow(
      /^Postgres ended while it started \(.*FATAL.*\): see .*$/,
    );
    taken.close();
  });

  it('given a port that somebody takes before they listen, then they listen on another', async () => {
    const tried: number[] = [];
    const inBetween = createServer();
    const server = await onFreePorts(['port'], async ({ port }) => {
      tried.push(port);
      if (tried.length === 1) await once(inBetween.listen(port, '127.0.0.1'), 'listening');
      return startNatsServer({ path: natsServer, dir: join(dir, 'second-choice'), port });
    });
    expect(tried).toHaveLength(2);
    expect(server.port).toBe(tried[1]);
    expect(server.isRunning()).toBe(true);
    await server.stop();
    inBetween.close();
  });

  it.each([
    ['that are all taken, then five are enough', 'address already in use', 5],
    ['and another fault, then it is told at once', 'no such file', 1],
  ])('given ports %s', async (_case, fault, tries) => {
    let tried = 0;
    const start = (): Promise<never> => {
      tried += 1;
      return Promise.reject(new Error(fault));
    };
    await expect(onFreePorts(['port'], start)).rejects.toThrow(fault);
    expect(tried).toBe(tries);
  });

  it('keep a Postgres database, its password and its address through a stop and a crash', async () => {
    const place = { binDir, dir: join(dir, 'kept'), database: 'delta' };
    const first = await startPostgres(place);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS n');
    await first.stop();
    const second = await startPostgres({ ...place, port: first.port });
    expect(second.url).toBe(first.url);
    await ask(second.url, 'INSERT INTO kept VALUES (2)');
    await second.kill();
    const third = await startPostgres({ ...place, port: first.port });
    expect(await ask(third.url, 'SELECT n FROM kept ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
    await expect(startPostgres(place)).rejects.toThrow(/ended while it started \(.*already exists/);
    await third.stop();
  });

  it('never empty a directory that somebody else filled', async () => {
    const foreign = join(dir, 'foreign', 'data', 'precious');
    const filled = await startPostgres({ binDir, dir: join(dir, 'foreign') });
    await filled.stop();
    await writeFile(foreign, 'mine');
    await rm(join(dir, 'foreign', 'superuser-password'));
    await expect(startPostgres({ binDir, dir: join(dir, 'foreign') })).rejects.toThrow(/was not made by this set-up/);
    expect(await readFile(foreign, 'utf8')).toBe('mine');
  });
});

async function ask(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // the server is killed under one of them
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
