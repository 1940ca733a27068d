import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeveloperClone, git } from '../../../../test/support/git-server/bare-repository.ts';
import { parseCloneUrl } from '../clone-url.ts';
import { downloadCommit, type DownloadedCommit } from '../download-commit.ts';
import { Git } from '../git.ts';
import { takeLock } from '../lock-file.ts';
import { ServedRepositories } from '../served-repositories.fixture.ts';
import { PackCache } from './pack-cache.ts';

const HOUR_MS = 60 * 60_000;
const runner = new Git({ environment: { PATH: process.env['PATH'] } });

let place: string;
let served: ServedRepositories;
let first: string;
let second: string;
/** Of the second commit. */
let tree: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-packs-'));
  const barePath = join(place, 'widgets.git');
  const developer = await DeveloperClone.create(barePath, barePath);
  first = (await developer.push('main', 'first', { 'widget.txt': 'stands\n' })).after;
  second = (await developer.push('main', 'second', { 'widget.txt': 'turns\n' })).after;
  tree = await git(developer.directory, 'rev-parse', `${second}^{tree}`);
  await developer.remove();
  served = await ServedRepositories.of(place);
});
afterAll(async () => {
  await served.close();
  await rm(place, { recursive: true, force: true });
});

let dir: string;
beforeEach(async () => {
  served.intercept = () => false;
  served.requests.splice(0);
  dir = join(await mkdtemp(join(place, 'cache-')), 'packs');
});

interface Obtained {
  readonly downloaded: DownloadedCommit | null;
  readonly packFile: string;
}

/** As a runner does, into a directory of its own. */
async function obtain(
  cache: PackCache,
  commit = second,
  { url = served.url('widgets.git'), signal = new AbortController().signal } = {},
): Promise<Obtained> {
  const remote = parseCloneUrl(url, ['http']);
  if (!remote.ok) throw new Error(remote.error.message);
  const packFile = join(await mkdtemp(join(place, 'job-')), 'a.pack');
  const wanted = { remote: remote.value, commit, packFile, signal };
  const limits = { authorization: null, maxBytes: 1_000_000, timeLimitMs: 60_000, onTrouble: () => undefined };
  return {
    packFile,
    downloaded: await cache.obtain(wanted, async () => downloadCommit(runner, { ...wanted, ...limits })),
  };
}

const keptIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => !name.startsWith('.'));

describe('packs that are kept', () => {
  it('given a commit that another job had, then it is there without the remote, whole, with its tree', async () => {
    const before = await obtain(new PackCache(dir, 1_000_000));
    const again = await obtain(new PackCache(dir, 1_000_000));
    expect(served.transfers).toBe(1);
    expect([before.downloaded, again.downloaded]).toEqual([{ tree }, { tree }]);
    expect(await readFile(again.packFile)).toEqual(await readFile(before.packFile));
    expect(await readdir(dir)).toHaveLength(1);
  });

  it('given another commit, or the same one at another address, then the remote is asked', async () => {
    const cache = new PackCache(dir, 1_000_000);
    await obtain(cache);
    await obtain(cache, first);
    await obtain(cache, second, { url: `${served.url('widgets.git')}/` });
    expect(served.transfers).toBe(3);
  });

  it('given several jobs at once, then one downloads for all', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(async () => obtain(new PackCache(dir, 1_000_000))));
    expect(all.map(({ downloaded }) => downloaded)).toEqual(all.map(() => ({ tree })));
    expect(served.transfers).toBe(1);
  });

  it('given one that fails to download, then the next one tries, and nothing is kept of the first', async () => {
    let answers = 0;
    served.intercept = (_request, response) => {
      answers += 1;
      if (answers > 1) return false;
      response.writeHead(500).end();
      return true;
    };
    const both = await Promise.all([1, 2].map(async () => obtain(new PackCache(dir, 1_000_000))));
    expect(both.map(({ downloaded }) => downloaded)).toEqual(expect.arrayContaining([{ tree }, null]));
    expect(await keptIn(dir)).toHaveLength(1);
  });

  it.each([
    ['cut short', (pack: Buffer) => pack.subarray(0, pack.length - 1)],
    ['changed', (pack: Buffer) => Buffer.from(pack.map((byte, at) => (at === pack.length - 30 ? byte ^ 1 : byte)))],
    ['empty', () => Buffer.alloc(0)],
  ] as const)(
    'given a kept pack that was %s, then it is downloaded again, and whole from then on',
    async (_, damage) => {
      const cache = new PackCache(dir, 1_000_000);
      const { packFile } = await obtain(cache);
      const whole = await readFile(packFile);
      const [name = ''] = await keptIn(dir);
      await writeFile(join(dir, name), damage(whole));
      for (const transfers of [2, 2]) {
        const again = await obtain(cache);
        expect(await readFile(again.packFile)).toEqual(whole);
        expect(served.transfers).toBe(transfers);
      }
    },
  );

  it('given nowhere to keep it, or no room, then it is downloaded each time', async () => {
    await mkdir(join(dir, '..'), { recursive: true });
    await writeFile(dir, 'a file');
    expect((await obtain(new PackCache(dir, 1_000_000))).downloaded).toEqual({ tree });
    await rm(dir);
    for (const transfers of [2, 3]) {
      expect((await obtain(new PackCache(dir, 1))).downloaded).toEqual({ tree });
      expect(served.transfers).toBe(transfers);
    }
  });

  it('given a wait for another job that is canceled, then the lock is not waited for any longer', async () => {
    const name = await nameOfSecond();
    await mkdir(dir, { recursive: true });
    const held = await takeLock(join(dir, `.${name}.lock`), { waitMs: 1_000 });
    if (!held.ok) throw new Error(held.error.message);
    const { downloaded } = await obtain(new PackCache(dir, 1_000_000), second, { signal: AbortSignal.abort() });
    expect(downloaded).toBeNull();
    await held.value();
  });

  it('given more than fits, or what nobody wanted for a day, then what was not used for longest goes', async () => {
    const cache = new PackCache(dir, 1_000_000);
    const { packFile } = await obtain(cache, first);
    const [old = ''] = await keptIn(dir);
    const { size } = await stat(packFile);
    const longAgo = new Date(Date.now() - HOUR_MS);
    await utimes(join(dir, old), longAgo, longAgo);
    await obtain(new PackCache(dir, Math.floor(size * 1.9)));
    expect(await keptIn(dir)).not.toContain(old);
    const [kept = ''] = await keptIn(dir);
    const yesterday = new Date(Date.now() - 25 * HOUR_MS);
    await utimes(join(dir, kept), yesterday, yesterday);
    await obtain(cache, first);
    expect(await keptIn(dir)).toEqual([old]);
  });
});

async function nameOfSecond(): Promise<string> {
  const elsewhere = await mkdtemp(join(place, 'names-'));
  await obtain(new PackCache(elsewhere, 1_000_000));
  const [name = ''] = await keptIn(elsewhere);
  return name;
}
