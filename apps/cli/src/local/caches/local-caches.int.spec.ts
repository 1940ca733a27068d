import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheChunk } from '@delta-ci/contracts';
import { cacheScope, type CachePlace } from './cache-scope.ts';
import { LocalCaches, type CachingRun, type LocalCacheBounds, type LocalCacheScope } from './local-caches.ts';

const UNHURRIED = new AbortController().signal;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const AMPLE = { bytesMax: 1024 ** 3, keptMs: 30 * DAY_MS };

const SHOP: CachePlace = { repository: '/shop', identity: '1:2:3', tier: 'sandbox' };
const scopeOf = (place: CachePlace, own = 'refs/heads/main'): LocalCacheScope =>
  cacheScope(place, { own, main: 'refs/heads/main', uncommitted: false });

const MAIN = scopeOf(SHOP);
const SIDE = scopeOf(SHOP, 'refs/heads/side');
const OTHER = scopeOf({ ...SHOP, repository: '/other', identity: '1:4:5' });

const chunkOf = (text: string): CacheChunk => ({
  digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
  sizeBytes: text.length,
  contentBytes: 100,
});

describe('caches of a machine', () => {
  let directory: string;
  let nowMs: number;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-local-caches-'));
    nowMs = Date.now();
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const caches = (): LocalCaches => new LocalCaches(directory, () => nowMs);

  const runOf = (scope: LocalCacheScope, bounds: LocalCacheBounds = AMPLE): CachingRun => ({
    scope,
    bounds,
    used: new Map(),
  });

  /** Saves some text as one cache, in a run of its own unless one is given; answers in which domain, null when it is not the first. */
  async function save(scope: LocalCacheScope, key: string, text: string, run = runOf(scope)): Promise<string | null> {
    const store = caches().storeFor(run, 'unit');
    const chunk = chunkOf(text);
    await store.upload(key, chunk, Uint8Array.from(Buffer.from(text)), UNHURRIED);
    return (await store.save({ key, content: { home: [chunk], workspace: [] } }, UNHURRIED))?.domain ?? null;
  }

  /** What a job is given under a key, as text; null for a miss. */
  async function given(scope: LocalCacheScope, key: string, run = runOf(scope)): Promise<string | null> {
    const store = caches().storeFor(run, 'unit');
    const { cache } = await store.find(key, UNHURRIED);
    const [chunk] = cache?.content.home ?? [];
    return chunk === undefined ? null : Buffer.from(await store.download(key, chunk, UNHURRIED)).toString();
  }

  const filesIn = async (folder: string): Promise<string[]> => {
    const entries = await readdir(join(directory, folder), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };
  const keys = async (): Promise<string[]> => (await caches().list()).map(({ key }) => key).toSorted();
  const removeKey = async (key: string, repository: string | null = null) =>
    caches().remove((cache) => cache.key === key && (repository ?? cache.repository) === cache.repository);
  const tidy = async (bounds: LocalCacheBounds, used: CachingRun['used'] = new Map()): Promise<void> =>
    caches().tidy({ bounds, used });
  const grownOld = async (): Promise<void> => {
    for (const file of await filesIn('chunks')) await utimes(file, new Date(0), new Date(0));
  };

  it('given a cache is saved, then later jobs of the branch have it under its key', async () => {
    expect(await save(MAIN, 'npm', 'packages')).toBe('trusted');
    expect([await given(MAIN, 'npm'), await given(MAIN, 'np')]).toEqual(['packages', null]);
  });

  it.each([
    ['another repository', OTHER],
    ['another repository at the same path', scopeOf({ ...SHOP, identity: '1:2:4' })],
    ['another tier', scopeOf({ ...SHOP, tier: 'process' })],
  ])('given jobs of %s, then they have nothing of it, and save their own', async (_, elsewhere) => {
    await save(MAIN, 'npm', 'packages');
    expect(await given(elsewhere, 'npm')).toBeNull();
    expect(await save(elsewhere, 'npm', 'others')).toBe('trusted');
    expect([await given(MAIN, 'npm'), await given(elsewhere, 'npm')]).toEqual(['packages', 'others']);
  });

  it('given a branch of its own, then it reads what the main one left, and the main one nothing of it', async () => {
    await save(MAIN, 'npm', 'of main');
    expect(await given(SIDE, 'npm')).toBe('of main');
    expect(await save(SIDE, 'npm', 'of side')).toBe('ref:refs/heads/side');
    expect([await given(SIDE, 'npm'), await given(MAIN, 'npm')]).toEqual(['of side', 'of main']);
  });

  it('given many runs save under a key at once, then one of them is first, and stays', async () => {
    const texts = Array.from({ length: 8 }, (_, at) => `of run ${at}`);
    const domains = await Promise.all(texts.map(async (text) => save(MAIN, 'npm', text)));
    expect(domains.filter((domain) => domain !== null)).toEqual(['trusted']);
    expect(await given(MAIN, 'npm')).toBe(texts[domains.indexOf('trusted')]);
  });

  it.each<[string, (file: string) => Promise<void>]>([
    ['cut off', async (file) => truncate(file, 3)],
    ['written over', async (file) => writeFile(file, 'PACKAGES')],
    ['removed', async (file) => rm(file)],
  ])('given a chunk was %s, then the cache is damaged once, and can be saved anew', async (_, damage) => {
    await save(MAIN, 'npm', 'packages');
    for (const file of await filesIn('chunks')) await damage(file);
    await expect(given(MAIN, 'npm')).rejects.toMatchObject({ name: 'CacheFailed', code: 'damaged' });
    expect(await given(MAIN, 'npm')).toBeNull();
    expect(await save(MAIN, 'npm', 'packages')).toBe('trusted');
    expect(await given(MAIN, 'npm')).toBe('packages');
  });

  it('given a cache is given up, then another can be saved, and one that was saved meanwhile stays', async () => {
    await save(MAIN, 'npm', 'packages');
    const store = caches().storeFor(runOf(MAIN), 'unit');
    const useless = { key: 'npm', content: { home: [chunkOf('packages')], workspace: [] } };
    await store.giveUp(useless, UNHURRIED);
    expect(await given(MAIN, 'npm')).toBeNull();
    expect(await save(MAIN, 'npm', 'others')).toBe('trusted');
    await store.giveUp(useless, UNHURRIED);
    await caches().storeFor(runOf(SIDE), 'unit').giveUp(useless, UNHURRIED);
    expect(await given(MAIN, 'npm')).toBe('others');
  });

  it('given a cache was saved anew while another run read what was damaged, then the new one stays', async () => {
    await save(MAIN, 'npm', 'packages');
    const store = caches().storeFor(runOf(MAIN), 'unit');
    await store.find('npm', UNHURRIED);
    await removeKey('npm');
    for (const file of await filesIn('chunks')) await rm(file);
    nowMs += MINUTE_MS;
    await save(MAIN, 'npm', 'packages anew');
    const gone = { ...chunkOf('packages'), url: null };
    await expect(store.download('npm', gone, UNHURRIED)).rejects.toMatchObject({ code: 'damaged' });
    expect(await given(MAIN, 'npm')).toBe('packages anew');
  });

  it("given the directory was removed while a job runs, then what it saves is nobody else's to read", async () => {
    await rm(directory, { recursive: true });
    await save(MAIN, 'npm', 'packages');
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
    const modes = await Promise.all([directory, ...folders].map(async (folder) => (await stat(folder)).mode & 0o777));
    expect(new Set(modes)).toEqual(new Set([0o700]));
  });

  it('given a save was killed before its record was whole, then that is tidied up', async () => {
    await save(MAIN, 'npm', 'packages');
    const left = join(directory, 'incoming', 'left');
    await writeFile(left, '{');
    await utimes(left, new Date(0), new Date(0));
    await tidy(AMPLE);
    expect(await filesIn('incoming')).toEqual([]);
    expect(await filesIn('index')).toHaveLength(1);
  });

  it('given a record that is not as it was written, then there is none', async () => {
    await save(MAIN, 'npm', 'packages');
    const [file = ''] = await filesIn('index');
    await writeFile(file, (await readFile(file, 'utf8')).replace('"unit"', '"unix"'));
    expect([await given(MAIN, 'npm'), await keys()]).toEqual([null, []]);
    expect(await save(MAIN, 'npm', 'packages')).toBe('trusted');
  });

  it('given bounds, then what is too old goes, and of what is too much that which was of no use for the longest time', async () => {
    const saved: [LocalCacheScope, string][] = [
      [MAIN, 'ancient'],
      [MAIN, 'old'],
      [MAIN, 'middle'],
      [SIDE, 'side'],
      [MAIN, 'new'],
    ];
    for (const [at, [scope, key]] of saved.entries()) {
      nowMs = at * DAY_MS + 1;
      await save(scope, key, key.padEnd(100));
    }
    await given(MAIN, 'old');
    await tidy({ bytesMax: 300, keptMs: 3 * DAY_MS });
    expect(await keys()).toEqual(['new', 'old', 'side']);
    nowMs += DAY_MS;
    await given(SIDE, 'side');
    await tidy({ bytesMax: 199, keptMs: 30 * DAY_MS });
    expect(await keys()).toEqual(['side']);
  });

  it('given a repository that leaves more than its share, then it is its own that go, and what is older of others stays', async () => {
    for (const [scope, key] of [[OTHER, 'quiet'], ...['one', 'two', 'three', 'four'].map((each) => [MAIN, each])] as [
      LocalCacheScope,
      string,
    ][]) {
      nowMs += MINUTE_MS;
      await save(scope, key, key.padEnd(100));
    }
    await tidy({ ...AMPLE, bytesMax: 400 });
    expect(await keys()).toEqual(['four', 'quiet', 'three', 'two']);
    await tidy({ ...AMPLE, bytesMax: 200 });
    expect(await keys()).toEqual(['four', 'quiet']);
  });

  it('given the main branch has nearly all there may be, then what a run of another saves is there the next time', async () => {
    const bounds = { ...AMPLE, bytesMax: 250 };
    await save(MAIN, 'main', 'main'.padEnd(200));
    nowMs += MINUTE_MS;
    const run = runOf(SIDE, bounds);
    await save(SIDE, 'side', 'side'.padEnd(100), run);
    await given(MAIN, 'main');
    await caches().tidy(run);
    expect(await keys()).toEqual(['side']);
    expect(await given(SIDE, 'side', runOf(SIDE, bounds))).toBe('side'.padEnd(100));
  });

  it('given a run uses several, then all of them stay, and those of others go', async () => {
    const [one, two] = ['one'.padEnd(100), 'two'.padEnd(100)];
    await save(MAIN, 'one', one);
    const run = runOf(MAIN, { ...AMPLE, bytesMax: 200 });
    expect(await given(MAIN, 'one', run)).toBe(one);
    await save(MAIN, 'two', two, run);
    nowMs += MINUTE_MS;
    await save(OTHER, 'later', 'later'.padEnd(100));
    await caches().tidy(run);
    expect(await keys()).toEqual(['one', 'two']);
  });

  it('given more than is ever kept, then it is refused by name, alone or with what the run has used', async () => {
    const run = runOf(MAIN, { ...AMPLE, bytesMax: 150 });
    const refused = { name: 'CacheFailed', code: 'too_large', message: expect.stringContaining('150 B') };
    await expect(save(MAIN, 'huge', 'huge'.padEnd(151), run)).rejects.toMatchObject(refused);
    expect(await save(MAIN, 'one', 'one'.padEnd(100), run)).toBe('trusted');
    expect(await save(MAIN, 'one', 'uno'.padEnd(100), run)).toBeNull();
    await expect(save(MAIN, 'two', 'two'.padEnd(51), run)).rejects.toMatchObject(refused);
    expect(await keys()).toEqual(['one']);
  });

  it('given a cache that grows beyond what is ever kept, then no chunk of it is written from there on', async () => {
    const run = runOf(MAIN, { ...AMPLE, bytesMax: 250 });
    await save(MAIN, 'one', 'one'.padEnd(100), run);
    const store = caches().storeFor(run, 'unit');
    const send = async (key: string, text: string) =>
      store.upload(key, chunkOf(text), Uint8Array.from(Buffer.from(text)), UNHURRIED);
    await send('two', 'two'.padEnd(100));
    const refused = { name: 'CacheFailed', code: 'too_large', message: expect.stringContaining('250 B') };
    for (const text of ['three', 'four']) await expect(send('two', text.padEnd(51))).rejects.toMatchObject(refused);
    expect((await filesIn('chunks')).length).toBe(2);
    await send('another', 'another'.padEnd(100));
    expect((await filesIn('chunks')).length).toBe(3);
  });

  it('given chunks to which no cache refers, then they go, but for those that a save may be about to record', async () => {
    await save(MAIN, 'one', 'shared');
    await save(OTHER, 'two', 'shared');
    await save(MAIN, 'three', 'alone');
    await grownOld();
    const store = caches().storeFor(runOf(MAIN), 'unit');
    await store.upload('under way', chunkOf('under way'), Uint8Array.from(Buffer.from('under way')), UNHURRIED);
    nowMs = Date.now() + MINUTE_MS;
    await removeKey('one');
    await removeKey('three', '/elsewhere');
    expect(await keys()).toEqual(['three', 'two']);
    expect(await removeKey('three', '/shop')).toMatchObject([{ key: 'three', domain: 'trusted' }]);
    const left = (await Promise.all((await filesIn('chunks')).map(async (file) => readFile(file, 'utf8')))).toSorted();
    expect(left).toEqual(['shared', 'under way']);
  });

  it('given a chunk that stood for long and is sent again, then it is no older than one that is new', async () => {
    await save(MAIN, 'one', 'same');
    await grownOld();
    const store = caches().storeFor(runOf(OTHER), 'unit');
    await store.upload('same', chunkOf('same'), Uint8Array.from(Buffer.from('same')), UNHURRIED);
    nowMs = Date.now() + MINUTE_MS;
    await removeKey('one');
    expect(await filesIn('chunks')).toHaveLength(1);
    nowMs += 60 * MINUTE_MS;
    await tidy(AMPLE);
    expect(await filesIn('chunks')).toEqual([]);
  });

  it('given nothing was ever kept, then nothing is found, listed or removed', async () => {
    await rm(directory, { recursive: true });
    expect([await given(MAIN, 'npm'), await keys(), await removeKey('npm')]).toEqual([null, [], []]);
    await tidy(AMPLE);
  });
});
