import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheResult } from '@delta-ci/contracts';
import { bubblewrapPath } from '../../../../../test/support/infra/index.ts';
import { delta } from '../../program.ts';
import { recorded } from '../../recorded-surroundings.fixture.ts';

/** A key that anybody can write: nothing of the lockfile, or of anything else, is in it. */
const caches = [{ type: 'deps', key: 'fixed', paths: ['made'] }];
const steps = ['cat made/by 2> /dev/null || echo "nothing was there"', 'mkdir -p made; cat who > made/by'];
const CONFIG = JSON.stringify({ version: 1, jobs: { keep: { caches, steps } } });

describe('caches of local runs', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'delta-caches-of-runs-')));
    await begin('shop', 'first');
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  function git(folder: string, ...args: readonly string[]): void {
    const who = ['-c', 'user.name=Test', '-c', 'user.email=test@example.test'];
    execFileSync('git', [...who, ...args], { cwd: join(directory, folder), stdio: 'pipe' });
  }

  async function begin(folder: string, who: string): Promise<void> {
    await mkdir(join(directory, folder));
    git(folder, 'init', '--quiet', '--initial-branch=main');
    await writeFile(join(directory, folder, 'delta.yaml'), CONFIG);
    await writeFile(join(directory, folder, 'who'), who);
    git(folder, 'add', '--all');
    git(folder, 'commit', '--quiet', '--message', who);
  }

  async function called(folder: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const environment = {
      PATH: process.env['PATH'],
      HOME: directory,
      DELTA_CACHE_HOME: join(directory, 'cache'),
      DELTA_BWRAP: await bubblewrapPath(),
      ...more,
    };
    const { surroundings, out, err } = recorded(join(directory, folder), environment);
    return { exitCode: await delta(args, surroundings), out: out(), err: err() };
  }

  function resultsIn(out: string): readonly CacheResult[] | undefined {
    const { jobs } = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { jobs: { caches: CacheResult[] }[] };
    return jobs[0]?.caches;
  }

  /** What became of the cache of a run in a folder, after it ended well. */
  async function cacheOf(folder: string, more: Readonly<Record<string, string>> = {}, tier = ['--unsandboxed']) {
    const { exitCode, out, err } = await called(folder, ['run', '--all', '--json', ...tier], more);
    expect([exitCode, err]).toEqual([0, '']);
    return resultsIn(out)?.[0];
  }

  it('given another repository stands where one stood, then it has nothing of that, and leaves its own', async () => {
    expect(await cacheOf('shop')).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
    expect(await cacheOf('shop')).toMatchObject({ hit: true });
    await rm(join(directory, 'shop'), { recursive: true });
    await begin('shop', 'second');
    expect(await cacheOf('shop')).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
  });

  it('given a patch is tried on the main branch, then no branch is given what it leaves, nor the main one without it', async () => {
    await writeFile(join(directory, 'shop', 'who'), 'a stranger');
    expect(await cacheOf('shop')).toMatchObject({ saved: { domain: 'ref:refs/heads/main' } });
    expect(await cacheOf('shop')).toMatchObject({ hit: true });
    git('shop', 'checkout', '--quiet', '--', 'who');
    git('shop', 'checkout', '--quiet', '-b', 'side');
    expect(await cacheOf('shop')).toMatchObject({ hit: false, saved: { domain: 'ref:refs/heads/side' } });
    git('shop', 'checkout', '--quiet', 'main');
    expect(await cacheOf('shop')).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
  });

  it('given a pull request that was fetched as `main`, where the remote goes by another branch, then it leaves nothing for others', async () => {
    git('shop', 'branch', '--quiet', '-m', 'develop');
    git('shop', 'update-ref', 'refs/pull/7/head', 'HEAD');
    await mkdir(join(directory, 'here'));
    git('here', 'init', '--quiet', '--initial-branch=develop');
    git('here', 'remote', 'add', 'origin', '../shop');
    git('here', 'fetch', '--quiet', 'origin');
    git('here', 'update-ref', '--no-deref', '-d', 'refs/remotes/origin/HEAD');
    git('here', 'fetch', '--quiet', 'origin', 'pull/7/head:main');
    git('here', 'checkout', '--quiet', 'main');
    expect(await cacheOf('here')).toMatchObject({ hit: false, saved: { domain: 'ref:refs/heads/main' } });
    git('here', 'checkout', '--quiet', 'develop');
    expect(await cacheOf('here')).toMatchObject({ hit: false });
  });

  it('given jobs run in another tier, then they have caches of their own', async () => {
    await cacheOf('shop');
    expect(await cacheOf('shop', {}, [])).toMatchObject({ hit: false, saved: { domain: 'trusted' } });
    expect(await cacheOf('shop', {}, [])).toMatchObject({ hit: true });
  });

  it('given another working tree of the repository, on a branch or on none, then it has what the main branch left', async () => {
    await cacheOf('shop');
    git('shop', 'worktree', 'add', '--quiet', '-b', 'side', '../linked');
    expect(await cacheOf('linked')).toMatchObject({ hit: true, restored: { domain: 'trusted' } });
    git('linked', 'checkout', '--quiet', '--detach');
    expect(await cacheOf('linked')).toMatchObject({ hit: true, restored: { domain: 'trusted' } });
  });

  it('given no branch is checked out, then what is left is given to that commit alone', async () => {
    git('shop', 'checkout', '--quiet', '--detach');
    const domain = expect.stringMatching(/^ref:[0-9a-f]{40}$/u);
    expect(await cacheOf('shop')).toMatchObject({ hit: false, saved: { domain } });
    expect(await cacheOf('shop')).toMatchObject({ hit: true, restored: { domain } });
    git('shop', 'commit', '--quiet', '--allow-empty', '--message', 'Another');
    expect(await cacheOf('shop')).toMatchObject({ hit: false });
  });

  it('given nothing is to be kept, then what would be is refused by name, and the next run misses it', async () => {
    const nothing = { DELTA_CACHES_KEPT_BYTES: '0' };
    const refused = { hit: false, problems: [{ during: 'save', code: 'too_large' }] };
    expect([await cacheOf('shop', nothing), await cacheOf('shop', nothing)]).toMatchObject([refused, refused]);
    expect(await cacheOf('shop')).toMatchObject({ saved: { domain: 'trusted' } });
    expect(await cacheOf('shop', { DELTA_CACHES_KEPT_BYTES: '1' })).toMatchObject({ hit: true });
    expect(await cacheOf('shop')).toMatchObject({ hit: true });
  });

  it('given a bound that is none, then nothing runs, and it is named', async () => {
    const { exitCode, err, out } = await called('shop', ['run', '--all', '--unsandboxed'], {
      DELTA_CACHES_KEPT_DAYS: 'many',
    });
    expect([exitCode, err]).toEqual([2, expect.stringContaining('DELTA_CACHES_KEPT_DAYS')]);
    expect(out).not.toContain('starts');
  });

  it('given git cannot say which branch is the main one, then jobs run without caches, which is said', async () => {
    await mkdir(join(directory, 'shop', '.git', 'refs', 'remotes', 'origin'), { recursive: true });
    await writeFile(join(directory, 'shop', '.git', 'refs', 'remotes', 'origin', 'HEAD'), 'neither a ref nor an id');
    const { exitCode, err, out } = await called('shop', ['run', '--all', '--unsandboxed']);
    expect([exitCode, err]).toEqual([0, expect.stringContaining('Jobs run without caches: ')]);
    expect(out).toContain('nothing was there');
  });

  it('given a job that does not run, then nothing became of its caches', async () => {
    const config = { ...(JSON.parse(CONFIG) as object), egress: { allow: ['registry.example.test'] } };
    await writeFile(join(directory, 'shop', 'delta.yaml'), JSON.stringify(config));
    const { exitCode, out } = await called('shop', ['run', '--all', '--json', '--no-network']);
    expect([exitCode, resultsIn(out)]).toEqual([3, []]);
  });
});
