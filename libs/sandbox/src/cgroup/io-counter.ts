import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IoUsage } from '@delta-ci/contracts';
import { readOrNull } from './read-group-file.ts';

/** Counts what one control group reads from disks and writes to them. */
export type IoCounter = {
  /** Has the kernel count. What was read and written before is not in it: a group may stand long before its step begins. */
  start(): Promise<void>;
  /** Since the last start. */
  usage(): Promise<IoUsage>;
};

const UNKNOWN: IoUsage = { readBytes: null, writtenBytes: null, reads: null, writes: null };

/** What the kernel did not tell of at the start, it had not counted yet. */
const since = (before: number | null, now: number | null): number | null => (now === null ? null : now - (before ?? 0));

/**
 * Counts from each start on.
 * @param prepare has the kernel count
 * @param counted what it counted in the group's whole life
 */
function fromStart(prepare: () => Promise<void>, counted: () => Promise<IoUsage>): IoCounter {
  let before = UNKNOWN;
  return {
    start: async () => {
      await prepare();
      before = await counted();
    },
    usage: async () => {
      const now = await counted();
      return {
        readBytes: since(before.readBytes, now.readBytes),
        writtenBytes: since(before.writtenBytes, now.writtenBytes),
        reads: since(before.reads, now.reads),
        writes: since(before.writes, now.writes),
      };
    },
  };
}

/** The sum of the numbers that `pattern` finds; 0 when there are none. */
const sumOf = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);

/**
 * v2 counts by itself wherever the parent hands the controller down, and charges what is written later to whoever dirtied it.
 * A group without any operation has no line.
 */
export const ioCounterV2 = (group: string): IoCounter =>
  fromStart(
    async () => undefined,
    async () => {
      const stat = await readOrNull(join(group, 'io.stat'));
      if (stat === null) return UNKNOWN;
      return {
        readBytes: sumOf(stat, /\brbytes=(\d+)/g),
        writtenBytes: sumOf(stat, /\bwbytes=(\d+)/g),
        reads: sumOf(stat, /\brios=(\d+)/g),
        writes: sumOf(stat, /\bwios=(\d+)/g),
      };
    },
  );

const entriesOf = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/** Whole disks, as `major:minor`; those that lie on others (loops, mappings) would count everything twice. */
function wholeDisks(): readonly string[] {
  const names = entriesOf('/sys/block').filter(
    (name) => !/^(?:loop|ram|zram)/.test(name) && entriesOf(join('/sys/block', name, 'slaves')).length === 0,
  );
  return names.map((name) => readFileSync(join('/sys/block', name, 'dev'), 'utf8').trim());
}

/** A limit of none, which a kernel that counts only for disks with limits takes for one. */
const countDisk = async (group: string, disk: string): Promise<boolean> => {
  try {
    await writeFile(join(group, 'blkio.throttle.read_bps_device'), `${disk} 0`, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
};

/**
 * v1 counts what a process reads, and nothing of a disk that no group ever had a limit for: zeros of such a disk are no
 * answer. What is written is mostly written by the kernel later, in nobody's name: no answer either.
 */
export function ioCounterV1(group: string | null, disksOf: () => readonly string[] = wholeDisks): IoCounter {
  let counts = false;
  return fromStart(
    async () => {
      if (group === null) return;
      const disks = disksOf();
      const counted = await Promise.all(disks.map(async (disk) => countDisk(group, disk)));
      counts = disks.length > 0 && counted.every(Boolean);
    },
    async () => {
      if (group === null || !counts) return UNKNOWN;
      const [bytes, operations] = await Promise.all([
        readOrNull(join(group, 'blkio.throttle.io_service_bytes')),
        readOrNull(join(group, 'blkio.throttle.io_serviced')),
      ]);
      const reads = / Read (\d+)$/gm;
      return {
        ...UNKNOWN,
        readBytes: bytes === null ? null : sumOf(bytes, reads),
        reads: operations === null ? null : sumOf(operations, reads),
      };
    },
  );
}
