import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { localCaches, localCachesDirectory } from '../local/caches/open-local-caches.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const NEVER = new AbortController().signal;
const CHUNK = { digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1, contentBytes: 1 };
const BOUNDS = { bytesMax: 1_000, keptMs: 1_000 };

describe('what a person sees of the caches of a machine', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'delta-seen-caches-')));
    await mkdir(join(directory, 'shop', 'packages', 'cart'), { recursive: true });
    execFileSync('git', ['init', '--quiet'], { cwd: join(directory, 'shop') });
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  const surroundingsIn = (folder: string) =>
    recorded(join(directory, folder), {
      PATH: process.env['PATH'],
      HOME: directory,
      DELTA_CACHE_HOME: join(directory, 'cache'),
    });

  async function called(folder: string, ...args: readonly string[]) {
    const { surroundings, out, err } = surroundingsIn(folder);
    return { exitCode: await delta(['caches', ...args], surroundings), out: out(), err: err() };
  }

  async function keep(key: string, repository = 'shop', saves = 'trusted'): Promise<void> {
    const { surroundings } = surroundingsIn('.');
    const place = { repository: join(directory, repository), identity: '1:2:3', tier: 'sandbox' } as const;
    const run = { scope: { ...place, reads: [], saves }, bounds: BOUNDS, used: new Map<string, number>() };
    await localCaches(surroundings)
      .storeFor(run, 'unit')
      .save({ key, content: { home: [CHUNK], workspace: [] } }, NEVER);
  }

  async function keysOf(folder: string, ...args: readonly string[]): Promise<string[]> {
    const { out } = await called(folder, 'list', '--local', '--json', ...args);
    return (JSON.parse(out) as { caches: { key: string }[] }).caches.map(({ key }) => key).toSorted();
  }

  it('given a directory of a repository, however it is named, then its caches are shown, and no others', async () => {
    await keep('of-shop');
    await keep('of-other', 'other');
    await symlink(join(directory, 'shop'), join(directory, 'link'));
    const [inside, outside, linked] = await Promise.all([
      keysOf('shop/packages/cart', '--repository', '.'),
      keysOf('.', '--repository', 'shop'),
      keysOf('.', '--repository', 'link/packages'),
    ]);
    expect([inside, outside, linked]).toEqual([['of-shop'], ['of-shop'], ['of-shop']]);
    expect(await keysOf('.', '--repository', 'other')).toEqual(['of-other']);
    expect(await keysOf('.')).toEqual(['of-other', 'of-shop']);
    const { out } = await called('.', 'list', '--local', '--repository', 'shop/packages', '--limit', '1');
    expect(out).toContain('of-shop');
    expect((await called('.', 'list', '--local', '--repository', '.')).out).toContain(`no caches of ${directory} are`);
  });

  it('given a domain, then what others keep under the key stays', async () => {
    await keep('npm');
    await keep('npm', 'shop', 'ref:refs/heads/side');
    const side = ['--domain', 'ref:refs/heads/side'];
    expect(await called('shop', 'remove', 'npm', '--local', ...side)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('1 cache removed, of ref:refs/heads/side'),
    });
    expect(await keysOf('shop')).toEqual(['npm']);
    expect((await called('shop', 'remove', 'npm', '--local', ...side)).exitCode).toBe(2);
  });

  it('given more than are shown, then that is said', async () => {
    for (const key of ['one', 'two', 'three']) await keep(key);
    expect((await called('shop', 'list', '--local', '--limit', '2')).out).toContain('1 more, ');
    expect((await called('shop', 'list', '--local', '--limit', '3')).out).not.toContain(' more, ');
  });

  it.each([['list'], ['remove', 'npm']])('given they cannot be read, then %s says so', async (...command) => {
    const caches = localCachesDirectory(surroundingsIn('.').surroundings);
    await mkdir(dirname(caches), { recursive: true });
    await writeFile(caches, 'no directory');
    const { exitCode, err } = await called('shop', ...command, '--local');
    expect([exitCode, err]).toEqual([
      2,
      expect.stringMatching(/^delta: what this machine keeps is out of reach: .*ENOTDIR/u),
    ]);
  });
});
