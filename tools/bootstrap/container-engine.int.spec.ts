import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/support/infra/index.ts';
import { ensureContainerEngine } from './container-engine-program.mjs';
import { hostPrograms, openContainerEngine, startContainerEngine } from './container-engine.mjs';
import { openCache, removeOnDeath } from './index.mjs';
import { hasEnded, isGone, runUntilFirstLine } from './owner-that-dies.fixture.ts';

const repoRoot = resolve(import.meta.dirname, '../..');
const say = (): void => undefined;

const parent = await mkdtemp(join(tmpdir(), 'delta-engines-'));
const watch = removeOnDeath(parent);
afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
  watch.release();
});
const cacheDir = await openCache({ repoRoot });
/** As if no engine answered on this host. */
const alone = { PATH: process.env['PATH'] ?? '', DOCKER_HOST: `unix://${join(parent, 'nobody.sock')}` };

/** Finds every control group of an engine by what one of its processes is in. */
async function groupsLike(cgroup: string): Promise<readonly string[]> {
  const name = /delta-engine-[0-9a-f-]{36}/u.exec(cgroup)?.[0] ?? 'none';
  const trees = ['', ...(await readdir('/sys/fs/cgroup'))].map((tree) => join('/sys/fs/cgroup', tree, name));
  const gone = await Promise.all(trees.map(isGone));
  return trees.filter((_, index) => gone[index] === false);
}

interface Engine {
  readonly socket: string;
  readonly client: string;
}

const docker = async ({ socket, client }: Engine, ...words: readonly string[]): Promise<string> =>
  (await promisify(execFile)(client, ['-H', `unix://${socket}`, ...words])).stdout.trim();

/** Starts a container whose processes do not end when they are asked to. Gives where one of them is found on this host. */
async function stubborn(engine: Engine): Promise<{ readonly pid: number; readonly cgroup: string }> {
  const script = 'trap "" TERM; while :; do sleep 3600; done';
  const made = ['run', '--detach', '--network=none', ...(await hostPrograms())];
  const id = await docker(engine, ...made, 'delta-trial:1', '/bin/sh', '-c', script);
  const pid = Number(await docker(engine, 'inspect', '--format', '{{.State.Pid}}', id));
  return { pid, cgroup: await readFile(`/proc/${pid}/cgroup`, 'utf8') };
}

describe('an engine for whoever needs one', () => {
  it('given one that answers, then it is that one, and goes on when it is no longer needed', async () => {
    const socket = join(parent, 'theirs.sock');
    const theirs = createServer((_, response) => response.end('OK')).listen(socket);
    await once(theirs, 'listening');
    const dir = join(parent, 'not-needed');
    const found = await openContainerEngine({ cacheDir, dir, say, env: { DOCKER_HOST: `unix://${socket}` } });
    expect(found).toMatchObject({ socket, ours: false });
    if (found.socket !== null) await found.stop();
    expect([theirs.listening, await isGone(dir)]).toEqual([true, true]);
    theirs.close();
  });

  it('given somebody other than root, then there is none, and it says why', async () => {
    const found = await ensureContainerEngine({ cacheDir, say, env: alone, uid: 1_000 });
    expect(found).toEqual({ programs: null, reason: 'only root can start one' });
  });
});

const first = await openContainerEngine({ cacheDir, dir: join(parent, 'first'), say, env: alone });

if (first.socket === null) {
  describe('an engine of our own was not tried', () => {
    it(`skipped: ${first.reason}`, () => {
      expect(process.env['DELTA_TEST_ENGINE']).not.toBe('required');
    });
  });
} else {
  const { socket, client, stop } = first;
  describe('an engine of our own', () => {
    let programs: NonNullable<Awaited<ReturnType<typeof ensureContainerEngine>>['programs']>;
    beforeAll(async () => {
      const found = await ensureContainerEngine({ cacheDir, say, env: alone });
      if (found.programs === null) throw new Error(found.reason);
      programs = found.programs;
    });
    afterAll(stop);

    it('listens where only root gets to', async () => {
      expect((await stat(join(parent, 'first'))).mode & 0o777).toBe(0o700);
    });

    it('beside another one, knows only its own containers, and takes them along when it is stopped', async () => {
      const dir = join(parent, 'second');
      const second = await startContainerEngine({ programs, dir });
      const { pid, cgroup } = await stubborn(second);
      expect(await docker({ socket, client: client ?? '' }, 'ps', '--quiet')).toBe('');
      expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(dir);
      expect(await groupsLike(cgroup)).not.toEqual([]);
      await second.stop();
      expect(await hasEnded(pid)).toBe(true);
      expect([await groupsLike(cgroup), await isGone(dir)]).toEqual([[], true]);
    });

    it('ends with its containers and leaves nothing when the process that started it is killed', async () => {
      const dir = join(parent, 'killed');
      const place = JSON.stringify({ cacheDir, dir, env: alone });
      const { child, line } = await runUntilFirstLine([
        `const engine = await bootstrap.openContainerEngine({ ...${place}, say: () => {} });`,
        'console.log(JSON.stringify(engine));',
        'setInterval(() => {}, 1000);',
      ]);
      const { pid, cgroup } = await stubborn(JSON.parse(line) as Engine);
      child.kill('SIGKILL');
      await eventually('its container has ended', () => hasEnded(pid));
      await eventually('its directory is gone', () => isGone(dir));
      expect(await groupsLike(cgroup)).toEqual([]);
    });

    it.each([
      ['does not start', { engine: '/bin/false' }, 'a container engine of our own ended while it started'],
      ['cannot run a container', { client: '/bin/false' }, 'a container engine of our own cannot run a container'],
    ])('that %s, leaves nothing and says so', async (_, broken, why) => {
      const dir = join(parent, 'broken');
      await expect(startContainerEngine({ programs: { ...programs, ...broken }, dir })).rejects.toThrow(why);
      expect(await isGone(dir)).toBe(true);
    });
  });
}
