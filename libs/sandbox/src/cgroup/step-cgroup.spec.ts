import { describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { CgroupHost } from './cgroup-host.ts';
import { ioCounterV1, ioCounterV2 } from './io-counter.ts';
import { createStepCgroup } from './step-cgroup.ts';

/** Plain directories in place of control groups: what is written shows what the kernel would be told. */
async function withHost<T>(
  make: (root: string) => CgroupHost,
  use: (host: CgroupHost, read: (file: string) => Promise<string>, root: string) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'delta-groups-'));
  try {
    for (const name of ['memory', 'pids', 'cpu', 'cpuacct', 'blkio']) await mkdir(join(root, name));
    return await use(make(root), (file) => readFile(join(root, file), 'utf8'), root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const v2 = (root: string): CgroupHost => ({ version: 2, parent: root, cpu: true });
const v1 = (root: string): CgroupHost => ({
  version: 1,
  memory: join(root, 'memory'),
  pids: join(root, 'pids'),
  cpu: join(root, 'cpu'),
  cpuacct: join(root, 'cpuacct'),
  blkio: join(root, 'blkio'),
});

const NO_IO = { readBytes: null, writtenBytes: null, reads: null, writes: null };

const LIMITS = { ...DEFAULT_SANDBOX_LIMITS, memoryBytes: 1_000_000, pids: 100, cpuCount: 1.5 };

describe('the control group of a step', () => {
  it('v2: one group with memory, swap, processes and CPU bounded, killed as a whole for memory', async () => {
    await withHost(v2, async (host, read, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      const told = await Promise.all(
        ['memory.max', 'memory.swap.max', 'memory.oom.group', 'pids.max', 'cpu.max'].map((file) => read(`g/${file}`)),
      );
      expect(told).toEqual(['1000000', '0', '1', '104', '150000 100000']);
      expect(group.joinFiles).toEqual([join(root, 'g', 'cgroup.procs')]);
    });
  });

  it('v1: a group per controller, swap counted with memory, joined by the thread alone', async () => {
    await withHost(v1, async (host, read, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      const told = await Promise.all(
        [
          'memory/g/memory.limit_in_bytes',
          'memory/g/memory.memsw.limit_in_bytes',
          'pids/g/pids.max',
          'cpu/g/cpu.cfs_quota_us',
        ].map(read),
      );
      expect(told).toEqual(['1000000', '1000000', '104', '150000']);
      expect(group.joinFiles).toEqual(
        ['memory', 'pids', 'cpu', 'cpuacct', 'blkio'].map((name) => join(root, name, 'g', 'tasks')),
      );
    });
  });

  it.each([
    ['v1', v1, 'pids/g/pids.max', 'memory/g/memory.limit_in_bytes'],
    ['v2', v2, 'g/pids.max', 'g/memory.max'],
  ] as const)(
    '%s: given other limits, then what differs is written, and nothing else',
    async (_, make, pids, memory) => {
      await withHost(make, async (host, read, root) => {
        const group = await createStepCgroup(host, 'g', LIMITS);
        await writeFile(join(root, pids), 'as it was');
        await group.limit({ ...LIMITS, memoryBytes: 2_000_000 });
        expect(await Promise.all([pids, memory].map(read))).toEqual(['as it was', '2000000']);
        await group.limit({ ...LIMITS, pids: 7 });
        expect(await Promise.all([pids, memory].map(read))).toEqual(['11', '1000000']);
      });
    },
  );

  it('v2: usage is read in its units', async () => {
    await withHost(v2, async (host, _, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      expect(await group.usage()).toEqual({ cpuMs: null, memoryPeakBytes: null, oomKilled: null, io: NO_IO });
      await writeFile(join(root, 'g', 'cpu.stat'), 'usage_usec 2500\nuser_usec 2000\n');
      await writeFile(join(root, 'g', 'memory.peak'), '4096\n');
      await writeFile(join(root, 'g', 'memory.events'), 'low 0\noom 1\noom_kill 1\n');
      expect(await group.usage()).toMatchObject({ cpuMs: 2.5, memoryPeakBytes: 4096, oomKilled: true });
    });
  });

  it('v1: usage is read in its units', async () => {
    await withHost(v1, async (host, _, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      await writeFile(join(root, 'cpuacct/g/cpuacct.usage'), '2500000\n');
      await writeFile(join(root, 'memory/g/memory.max_usage_in_bytes'), '4096\n');
      await writeFile(join(root, 'memory/g/memory.oom_control'), 'oom_kill_disable 0\nunder_oom 0\noom_kill 0\n');
      expect(await group.usage()).toMatchObject({ cpuMs: 2.5, memoryPeakBytes: 4096, oomKilled: false });
    });
  });

  it('v2: what was read and written is the sum over all disks, and nothing where nothing was', async () => {
    await withHost(v2, async (host, _, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      await writeFile(
        join(root, 'g', 'io.stat'),
        '254:0 rbytes=4096 wbytes=100 rios=1 wios=2 dbytes=7 dios=9\n8:16 rbytes=4 wbytes=1 rios=5 wios=6 dbytes=0 dios=0\n',
      );
      expect((await group.usage()).io).toEqual({ readBytes: 4100, writtenBytes: 101, reads: 6, writes: 8 });
      await writeFile(join(root, 'g', 'io.stat'), '');
      expect((await group.usage()).io).toEqual({ readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 });
    });
  });

  it('v1: of disks that the kernel does not count, zeros are not taken for an answer', async () => {
    await withHost(v1, async (host, _, root) => {
      const group = await createStepCgroup(host, 'g', LIMITS);
      await writeFile(join(root, 'blkio/g/blkio.throttle.io_service_bytes'), 'Total 0\n');
      expect((await group.usage()).io).toEqual(NO_IO);
    });
  });

  it('v1: what was read is the sum over all disks, and what was written is nobody’s', async () => {
    await withHost(v1, async (_, __, root) => {
      await writeFile(join(root, 'blkio/blkio.throttle.read_bps_device'), '');
      const counter = ioCounterV1(join(root, 'blkio'), () => ['254:0', '8:16']);
      await counter.start();
      const lines = (read: number): string =>
        `254:0 Read ${read}\n254:0 Write 9\n8:16 Read 1\n8:16 Total 10\nTotal 10\n`;
      await writeFile(join(root, 'blkio/blkio.throttle.io_service_bytes'), lines(8192));
      await writeFile(join(root, 'blkio/blkio.throttle.io_serviced'), lines(2));
      expect(await counter.usage()).toEqual({ readBytes: 8193, writtenBytes: null, reads: 3, writes: null });
    });
  });

  it.each([
    [
      'v1',
      (group: string) => ioCounterV1(group, () => ['254:0']),
      { readBytes: 8, writtenBytes: null, reads: 2, writes: null },
    ],
    ['v2', ioCounterV2, { readBytes: 8, writtenBytes: 6, reads: 2, writes: 2 }],
  ] as const)('%s: given what was read and written before it was started, that is not counted', async (_, make, io) => {
    await withHost(v2, async (__, ___, root) => {
      const group = join(root, 'blkio');
      await writeFile(join(group, 'blkio.throttle.read_bps_device'), '');
      const use = async (times: number): Promise<void> => {
        const lines = (each: number): string => `254:0 Read ${each * times}\nTotal ${each * times}\n`;
        await writeFile(join(group, 'blkio.throttle.io_service_bytes'), lines(4));
        await writeFile(join(group, 'blkio.throttle.io_serviced'), lines(1));
        const [bytes, counts] = [`rbytes=${4 * times} wbytes=${3 * times}`, `rios=${times} wios=${times}`];
        await writeFile(join(group, 'io.stat'), `254:0 ${bytes} ${counts} dbytes=0 dios=0\n`);
      };
      const counter = make(group);
      await use(5);
      await counter.start();
      await use(7);
      expect(await counter.usage()).toEqual(io);
    });
  });

  it('given a group that cannot be made, nothing is left and the reason is thrown', async () => {
    await withHost(v2, async (_, __, root) => {
      await expect(
        createStepCgroup({ version: 2, parent: join(root, 'nowhere'), cpu: true }, 'g', LIMITS),
      ).rejects.toThrow('ENOENT');
    });
  });
});
