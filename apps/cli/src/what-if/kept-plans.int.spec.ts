import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeptPlans } from './kept-plans.ts';
import type { PlanOutline } from './plan-outline.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-kept-plans-'));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

const key = (digit: string): string => digit.repeat(64);
const KEY = key('a');
const OUTLINE: PlanOutline = {
  ok: true,
  digest: 'sha256:0',
  run: ['test-packages-cart'],
  total: 2,
  savedMs: 60_000,
  totalMs: 120_000.5,
  files: [['ownership', 2]],
  jobs: [['ownership', 1]],
};
const FAILED: PlanOutline = { ok: false, code: 'nothing_to_run', message: 'nothing' };

const pathOf = (name: string): string => join(directory, name);
const kept = async (bytesMax?: number): Promise<KeptPlans> => KeptPlans.in(directory, bytesMax);

describe('plans that are kept', () => {
  it.each([OUTLINE, FAILED])('are found again as they were: %j', async (outline) => {
    await (await kept()).keep(KEY, outline);
    const plans = await kept();
    expect(await plans.find(KEY)).toEqual(outline);
    expect(await plans.find(key('b'))).toBeNull();
    expect(plans.notes()).toEqual([expect.stringMatching(/^1 plans were kept/u)]);
  });

  it('law: with any byte changed, left out or put in they count as not there, and are made again', async () => {
    await (await kept()).keep(KEY, OUTLINE);
    const whole = await readFile(pathOf(KEY));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(2), async (at, by, what) => {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ by;
        const left = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]);
        const more = Buffer.concat([whole.subarray(0, at), Buffer.from([by]), whole.subarray(at)]);
        await writeFile(pathOf(KEY), [damaged, left, more][what] ?? damaged);
        const plans = await kept();
        expect(await plans.find(KEY)).toBeNull();
        expect(plans.notes()).toEqual([expect.stringContaining('could not be read and were made again')]);
      }),
    );
    const plans = await kept();
    await plans.keep(KEY, OUTLINE);
    expect(await plans.find(KEY)).toEqual(OUTLINE);
  });

  it('given the file of another plan under this name, then it counts as not there', async () => {
    await (await kept()).keep(key('b'), OUTLINE);
    await copyFile(pathOf(key('b')), pathOf(KEY));
    expect(await (await kept()).find(KEY)).toBeNull();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a directory', async () => mkdir(pathOf(KEY))],
    ['a link', async () => symlink(pathOf(key('b')), pathOf(KEY))],
    ['a pipe', async () => Promise.resolve(execFileSync('mkfifo', [pathOf(KEY)]))],
    ['more than an entry can be', async () => writeFile(pathOf(KEY), Buffer.alloc(5 * 1_024 ** 2))],
  ])('given %s in place of a file, then it counts as not there, at once', async (_what, make) => {
    await (await kept()).keep(key('b'), OUTLINE);
    await make();
    expect(await (await kept()).find(KEY)).toBeNull();
  });

  it('given several who keep the same at once, then each file is whole and none is left unfinished', async () => {
    const several = await Promise.all([kept(), kept(), kept()]);
    await Promise.all(several.flatMap((plans) => [plans.keep(KEY, OUTLINE), plans.keep(key('b'), FAILED)]));
    expect((await readdir(directory)).sort()).toEqual([KEY, key('b')]);
    expect(await (await kept()).find(KEY)).toEqual(OUTLINE);
  });

  it('given more than may be kept, then what was used longest ago goes', async () => {
    const first = await kept();
    for (const digit of ['a', 'b', 'c']) await first.keep(key(digit), OUTLINE);
    const { length } = await readFile(pathOf(KEY));
    for (const digit of ['a', 'b', 'c']) await utimes(pathOf(key(digit)), 1, 1);
    const plans = await kept(2 * length);
    expect(await plans.find(key('b'))).toEqual(OUTLINE);
    await plans.keep(key('d'), OUTLINE);
    await plans.tidy();
    expect((await readdir(directory)).sort()).toEqual([key('b'), key('d')]);
  });

  it('given what somebody never finished writing, then it goes, and files of others stay', async () => {
    await writeFile(pathOf('mine.txt'), '');
    const plans = await kept();
    await plans.keep(KEY, OUTLINE);
    await rename(pathOf(KEY), pathOf(`${KEY}.1.tmp`));
    await utimes(pathOf(`${KEY}.1.tmp`), 1, 1);
    await plans.tidy();
    expect(await readdir(directory)).toEqual(['mine.txt']);
  });
});
