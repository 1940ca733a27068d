import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { leaveWorkDirectory, ownWorkDirectory, removeForsaken } from './work-directories.ts';

/** No process has such a number. */
const NOBODY = 2 ** 31 - 1;

describe('the work directories of a data directory', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'delta-data-'));
  });
  afterEach(async () => rm(dataDir, { recursive: true, force: true }));

  const make = async (name: string): Promise<string> => {
    await mkdir(join(dataDir, name, 'job-1', 'workspace'), { recursive: true });
    return name;
  };

  it('given those of a process that is gone, of one that lives and of an earlier one with our number, then the living keep theirs', async () => {
    await make(`work-${NOBODY}`);
    await make(`work-${NOBODY}-0a1b2c3d`);
    await make(`work-${process.pid}`);
    await make(`work-${process.pid}-0a1b2c3d`);
    const kept = [await make(`work-${process.ppid}-0a1b2c3d`), await make('images')];
    const own = await ownWorkDirectory(dataDir);
    await removeForsaken(dataDir, own);
    expect(await readdir(dataDir)).toEqual(expect.arrayContaining([...kept, basename(own)]));
    expect((await readdir(dataDir)).length).toBe(3);
  });

  it('given a removal that goes on beside us, then it never meets what is ours', async () => {
    const earlier = await ownWorkDirectory(dataDir);
    expect(await ownWorkDirectory(dataDir)).not.toBe(earlier);
  });

  it('given something that was kept in it, then it is left', async () => {
    const [empty, other] = [await ownWorkDirectory(dataDir), await ownWorkDirectory(dataDir)];
    await writeFile(join(other, 'kept'), '');
    await Promise.all([empty, other].map(leaveWorkDirectory));
    expect(await readdir(dataDir)).toEqual([basename(other)]);
  });
});
