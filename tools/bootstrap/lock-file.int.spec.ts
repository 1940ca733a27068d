import { spawnSync } from 'node:child_process';
import { access, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { withLock } from './lock-file.mjs';

describe('a lock file', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'delta-lock-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('lets one in at a time, and leaves nothing', async () => {
    const file = join(dir, 'turns.lock');
    let inside = 0;
    let most = 0;
    const visit = (n: number): Promise<number> =>
      withLock(file, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await access(file);
        inside -= 1;
        return n;
      });
    expect(await Promise.all([1, 2, 3, 4, 5, 6].map(visit))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(most).toBe(1);
    expect(await readdir(dir)).toEqual([]);
  });

  it('is released when the work throws', async () => {
    const file = join(dir, 'throws.lock');
    await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withLock(file, () => Promise.resolve('in'))).toBe('in');
  });

  it('of a process that died is taken over at once, by one waiter at a time', async () => {
    const file = join(dir, 'dead.lock');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    await writeFile(file, JSON.stringify({ token: 'dead', pid: dead, host: hostname() }));
    let inside = 0;
    const visit = (): Promise<number> =>
      withLock(file, async () => {
        inside += 1;
        await readFile(file);
        const seen = inside;
        inside -= 1;
        return seen;
      });
    expect(await Promise.all([visit(), visit(), visit(), visit()])).toEqual([1, 1, 1, 1]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('of another machine is taken over once its heartbeat has stopped', async () => {
    const file = join(dir, 'elsewhere.lock');
    await writeFile(file, JSON.stringify({ token: 'far', pid: 1, host: 'elsewhere.invalid' }));
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(file, longAgo, longAgo);
    expect(await withLock(file, () => Promise.resolve('in'))).toBe('in');
  });
});
