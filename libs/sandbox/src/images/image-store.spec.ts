import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ImageStore } from './image-store.ts';

const HEX = 'a'.repeat(64);
const ROUNDS = 50;

describe('a tree of the store that is taken into use', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-images-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  it('is nobody’s or its user’s at every moment, so that whoever looks for users never takes one for dead', async () => {
    const store = new ImageStore(directory, 1_000);
    const made = await store.add(`sha256:${HEX}`, async () => Promise.resolve({ bytes: 1, entries: 0, top: [] }));
    await made.release();
    const users = join(directory, 'trees', HEX, 'users');
    const seen: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const ended = new AbortController();
      const claimed = store.claim(`sha256:${HEX}`).finally(() => ended.abort());
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
