import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startTicksOf } from '../process-table.ts';
import { ImageStore } from './image-store.ts';

const HEX = 'a'.repeat(64);
const ROUNDS = 50;

describe('a tree of the store that is taken into use', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-images-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const CHAIN = `sha256:${HEX}`;
  const make = async () => Promise.resolve({ bytes: 1, entries: 0, top: [] });
  const place = (...path: readonly string[]) => join(directory, 'trees', HEX, ...path);
  const MINE = `${process.pid}-${startTicksOf(process.pid)}-${'0'.repeat(16)}`;
  const DEADS = `${2 ** 30}-1-${'0'.repeat(16)}`;

  it('given one that somebody is removing, then it cannot be, and what somebody began to remove and died over is made again', async () => {
    const store = new ImageStore(directory, 1_000);
    await (await store.add(CHAIN, make)).release();
    await rename(place('users'), place(`closed-${MINE}`));
    expect(await store.claim(CHAIN)).toBeNull();
    await rename(place(`closed-${MINE}`), place(`closed-${DEADS}`));
    expect(await store.claim(CHAIN)).toBeNull();
    const made = await store.add(CHAIN, make);
    expect(await readdir(place())).toEqual(expect.arrayContaining(['rootfs', 'users']));
    await store.record(CHAIN, { chain: CHAIN, env: {} });
    expect(await store.remove(CHAIN)).toBe(false);
    expect(await readdir(place('users'))).toHaveLength(1);
    await made.release();
    expect(await store.remove(CHAIN)).toBe(true);
    expect(await readdir(join(directory, 'trees'))).toEqual([]);
  });

  it('given what is half done, then it is removed when nobody works on it any more, and not before', async () => {
    const store = new ImageStore(directory, 1_000);
    for (const name of [MINE, DEADS]) await mkdir(join(directory, 'unfinished', name), { recursive: true });
    await store.sweep();
    expect(await readdir(join(directory, 'unfinished'))).toEqual([MINE]);
  });

  it('is nobody’s or its user’s at every moment, so that whoever looks for users never takes one for dead', async () => {
    const store = new ImageStore(directory, 1_000);
    const made = await store.add(CHAIN, make);
    await made.release();
    const users = place('users');
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const ended = new AbortController();
      const claimed = store.claim(CHAIN).finally(() => ended.abort());
      while (!ended.signal.aborted) {
        for (const name of readdirSync(users)) seen.push(readFileSync(join(users, name), 'utf8'));
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      await (await claimed)?.release();
    }
    expect(seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([expect.stringContaining(`"wardenPid":${process.pid}`)]));
  });
});
