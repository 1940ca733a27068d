import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { localImages } from '../local/machine/local-images.ts';
import { delta } from '../program.ts';
import { recorded } from '../recorded-surroundings.fixture.ts';

const DIGESTS = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`);
const [SHELL = '', NODE = ''] = DIGESTS;

describe('what a person sees of the images of a machine', () => {
  let directory = '';
  const surroundingsOf = () => recorded(directory, { HOME: directory, DELTA_CACHE_HOME: join(directory, 'cache') });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-seen-images-'));
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  async function called(...args: readonly string[]) {
    const { surroundings, out, err } = surroundingsOf();
    const exitCode = await delta(['images', ...args], surroundings);
    return { exitCode, out: out(), err: err() };
  }

  /** An image with a tree of its own, in use until it is released. */
  async function kept(digest: string, name: string): Promise<() => Promise<void>> {
    const store = localImages(surroundingsOf().surroundings);
    const { release } = await store.add(digest, async () => ({ bytes: 2_048, entries: 1, top: [] }));
    await store.record(digest, { chain: digest, env: {}, name });
    return release;
  }

  it('given none, then where they would be is said', async () => {
    expect((await called('list')).out).toBe(`no images are kept in ${directory}/cache/local/images\n`);
  });

  it('given some, then they are told, and one is removed by its name and another by its digest', async () => {
    await (
      await kept(SHELL, 'busybox:1.37')
    )();
    await (
      await kept(NODE, 'node:24')
    )();
    const { out } = await called('list');
    expect(out).toMatch(/^IMAGE +UNPACKED +USED +DIGEST/u);
    expect(out).toMatch(new RegExp(`busybox:1\\.37 +2\\.0 KiB +.* +${SHELL}`, 'u'));
    expect(await called('remove', 'node:24', SHELL)).toMatchObject({ exitCode: 0, out: '2 images removed\n' });
    expect(JSON.parse((await called('list', '--json')).out)).toMatchObject({ images: [] });
  });

  it('given one in use, or a name of none, then nothing is removed, and why is said', async () => {
    const release = await kept(NODE, 'node:24');
    expect(await called('remove', 'node:24')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('a job uses node:24: it stays'),
    });
    await release();
    expect(await called('remove', 'node:24', 'node:25')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('this machine keeps no image node:25'),
    });
    expect((await called('list')).out).toContain('node:24');
  });
});
