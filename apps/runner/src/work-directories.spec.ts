import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { reapLeftovers } from '@delta-ci/sandbox';
import { createLogger, createRedactor, type Logger } from '@delta-ci/service';
import { leaveWorkDirectory, ownWorkDirectory, removeForsaken } from './work-directories.ts';

/** No process has such a number. */
const NOBODY = 2 ** 31 - 1;

describe('the work directories of a data directory', () => {
  let dataDir: string;
  let lines: { level: string; event: string; msg?: string }[];
  let logger: Logger;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'delta-data-'));
    lines = [];
    const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const redactor = createRedactor();
    logger = createLogger({ service: 'runner', instance: 'spec', level: 'warn', pretty: false, redactor, sink });
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
    await removeForsaken(dataDir, own, [], logger);
    expect(lines).toEqual([]);
    expect(await readdir(dataDir)).toEqual(expect.arrayContaining([...kept, basename(own)]));
    expect((await readdir(dataDir)).length).toBe(3);
  });

  /** As a runner that is gone recorded a sandbox of which nobody can say whether it still has containers. */
  async function recordOf(id: string, workspaceToEmpty: string): Promise<void> {
    const undo = { cgroupParents: [], mounts: [], engineSocket: join(dataDir, 'no.sock'), workspaceToEmpty };
    await mkdir(join(dataDir, 'sandboxes', id), { recursive: true });
    await writeFile(
      join(dataDir, 'sandboxes', id, 'sandbox.json'),
      JSON.stringify({ id, wardenPid: NOBODY, wardenStartTicks: 1, ...undo }),
    );
  }

  it('given something of one job that resists, then nothing is deleted below that, all else is, and what to do is said', async () => {
    const [held, other] = [await make(`work-${NOBODY}-00000001`), await make(`work-${NOBODY}-00000002`)];
    await recordOf('resisting', join(dataDir, held, 'job-1', 'workspace'));
    const own = await ownWorkDirectory(dataDir);
    await removeForsaken(dataDir, own, (await reapLeftovers(join(dataDir, 'sandboxes'))).leftovers, logger);
    expect((await readdir(dataDir)).sort()).toEqual(['sandboxes', held, basename(own)].sort());
    expect(await readdir(join(dataDir, held))).toEqual(['job-1']);
    expect(await readdir(dataDir)).not.toContain(other);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        event: 'sandbox-not-removed',
        sandbox: 'resisting',
        leftovers: [expect.stringContaining('containers of sandbox resisting')],
        msg: expect.stringContaining(`the next runner that starts in ${dataDir}`),
      }),
    ]);
  });

  it('given one that cannot be removed, then the others are, and why it stays is said', async () => {
    const [deep] = [await make(`work-${NOBODY}-00000001`), await make(`work-${NOBODY}-00000002`)];
    const half = Array.from({ length: 12 }, () => 'd'.repeat(200)).join('/');
    for (const part of ['upper', 'lower']) await mkdir(join(dataDir, deep, part, half), { recursive: true });
    // No path leads to the end of it that the kernel would take.
    const lower = join(dataDir, deep, 'upper', half, 'lower');
    await rename(join(dataDir, deep, 'lower'), lower);
    const own = await ownWorkDirectory(dataDir);
    await removeForsaken(dataDir, own, [], logger);
    expect((await readdir(dataDir)).sort()).toEqual([deep, basename(own)].sort());
    expect(lines).toMatchObject([{ level: 'warn', event: 'directory-not-removed', directory: join(dataDir, deep) }]);
    await rename(lower, join(dataDir, 'lower'));
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
