import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LfsCache } from './lfs-cache.ts';
import { contentOfFile, verifiedCopy } from './verified-copy.ts';

const CONTENT = Buffer.from('content');
const POINTER = { oid: createHash('sha256').update(CONTENT).digest('hex'), sizeBytes: CONTENT.length };

let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-copy-'));
});
afterAll(async () => rm(place, { recursive: true, force: true }));

describe('copies that are verified', () => {
  it('given a file that is not there, when its content is asked for long before it is read, then the reader is told', async () => {
    const content = contentOfFile(join(place, 'gone'));
    // Whatever was opened by now would have failed by now.
    await readdir(place);
    await expect(verifiedCopy(content, join(place, 'copy'), POINTER)).rejects.toThrow(/ENOENT/u);
    expect(await readdir(place)).toEqual([]);
  });

  it('given a cache without the object, with another content, and with it, then only the last is taken', async () => {
    const dir = await mkdtemp(join(place, 'cache-'));
    const [cache, file] = [new LfsCache(dir, 1_000), join(place, 'taken')];
    expect(await cache.take(POINTER, file)).toBe(false);
    await writeFile(join(dir, POINTER.oid), 'CONTENT');
    expect(await cache.take(POINTER, file)).toBe(false);
    expect(await readdir(dir)).toEqual([]);
    await writeFile(file, CONTENT);
    await cache.keep(POINTER, file);
    await rm(file);
    expect(await cache.take(POINTER, file)).toBe(true);
    expect(await readFile(file)).toEqual(CONTENT);
  });
});
