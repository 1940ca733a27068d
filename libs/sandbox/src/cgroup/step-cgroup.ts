import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IoUsage, JobLimits } from '@delta-ci/contracts';
import { errorCodeOf } from '../error-code.ts';
import { signalProcess } from '../process-table.ts';
import { waitUntil } from '../wait-until.ts';
import type { CgroupHost } from './cgroup-host.ts';
import { readOrNull } from './read-group-file.ts';
import { ioCounterV1, ioCounterV2, type IoCounter } from './io-counter.ts';

export type CgroupUsage = {
  readonly cpuMs: number | null;
  readonly memoryPeakBytes: number | null;
  readonly oomKilled: boolean | null;
  readonly io: IoUsage;
};

/** The control group of one step: a directory per hierarchy, all of the same name. */
export type StepCgroup = {
  /** Writing `0` to each of these puts the writer into the group. */
  readonly joinFiles: readonly string[];
  /** Puts other limits in force. Throws when a hierarchy that was usable a moment ago no longer is. */
  limit(limits: JobLimits): Promise<void>;
  /** Says that the step of a group that stood ahead begins now: what was read and written before is not its own. */
  begin(): Promise<void>;
  usage(): Promise<CgroupUsage>;
  /** Ids of the processes in it. */
  members(): Promise<readonly number[]>;
  /** Kills every member and waits until there is none; false when some would not die. */
  kill(): Promise<boolean>;
  /** Removes the group; the directories that would not go. */
  remove(): Promise<readonly string[]>;
};

/** Every group we make starts with this, so that left-overs can be told from other people's. */
export const CGROUP_PREFIX = 'delta-ci-';

/** The kernel's customary accounting period for CPU quotas, 100 ms. */
const CPU_PERIOD_US = 100_000;

/** Killed processes leave a group when they are reaped, which takes as long as their last system call. */
const EMPTY_WITHIN_MS = 5_000;

type Setting = { readonly file: string; readonly value: string; readonly optional: boolean };

const must = (file: string, value: number | string): Setting => ({ file, value: String(value), optional: false });
const may = (file: string, value: number | string): Setting => ({ file, value: String(value), optional: true });

/** The launcher and the first process of the sandbox are members too; they are not the job's. */
const HELPER_PROCESSES = 4;

const cpuQuotaUs = (limits: JobLimits): number => Math.max(1_000, Math.round(limits.cpuCount * CPU_PERIOD_US));

type Layout = {
  readonly directories: readonly string[];
  readonly settings: (limits: JobLimits) => readonly Setting[];
  /**
   * In v1 a thread that moves itself alone need not wait for the whole kernel to look away, which is 15 ms on an idle
   * host; the writer is a shell with one thread. v2 knows no such shortcut between groups that have controllers.
   */
  readonly joinFile: 'tasks' | 'cgroup.procs';
  readonly memory: string;
  readonly cpuUsage: { readonly file: string; readonly perMs: number; readonly key: string | null } | null;
  readonly peakFile: string;
  readonly oomFile: string;
  readonly io: IoCounter;
};

/** Swap is capped where the kernel accounts for it; where it does not, swappiness 0 keeps the job out of it. */
function layoutV1(host: Extract<CgroupHost, { version: 1 }>, name: string): Layout {
  const memory = join(host.memory, name);
  const pids = join(host.pids, name);
  const cpu = host.cpu === null ? null : join(host.cpu, name);
  const cpuacct = host.cpuacct === null ? null : join(host.cpuacct, name);
  const blkio = host.blkio === null ? null : join(host.blkio, name);
  const cpuSettings = (limits: JobLimits): readonly Setting[] =>
    cpu === null
      ? []
      : [must(join(cpu, 'cpu.cfs_period_us'), CPU_PERIOD_US), must(join(cpu, 'cpu.cfs_quota_us'), cpuQuotaUs(limits))];
  return {
    directories: [...new Set([memory, pids, cpu, cpuacct, blkio].filter((each) => each !== null))],
    settings: (limits) => [
      must(join(memory, 'memory.limit_in_bytes'), limits.memoryBytes),
      may(join(memory, 'memory.memsw.limit_in_bytes'), limits.memoryBytes),
      may(join(memory, 'memory.swappiness'), 0),
      must(join(pids, 'pids.max'), limits.pids + HELPER_PROCESSES),
      ...cpuSettings(limits),
    ],
    joinFile: 'tasks',
    memory,
    cpuUsage: cpuacct === null ? null : { file: join(cpuacct, 'cpuacct.usage'), perMs: 1_000_000, key: null },
    peakFile: join(memory, 'memory.max_usage_in_bytes'),
    oomFile: join(memory, 'memory.oom_control'),
    io: ioCounterV1(blkio),
  };
}

function layoutV2(host: Extract<CgroupHost, { version: 2 }>, name: string): Layout {
  const group = join(host.parent, name);
  return {
    directories: [group],
    settings: (limits) => [
      must(join(group, 'memory.max'), limits.memoryBytes),
      may(join(group, 'memory.swap.max'), 0),
      must(join(group, 'pids.max'), limits.pids + HELPER_PROCESSES),
      ...(host.cpu ? [must(join(group, 'cpu.max'), `${cpuQuotaUs(limits)} ${CPU_PERIOD_US}`)] : []),
      // One process killed for memory takes its step with it: half a test suite is worth nothing.
      may(join(group, 'memory.oom.group'), 1),
    ],
    joinFile: 'cgroup.procs',
    memory: group,
    cpuUsage: { file: join(group, 'cpu.stat'), perMs: 1_000, key: 'usage_usec' },
    peakFile: join(group, 'memory.peak'),
    oomFile: join(group, 'memory.events'),
    io: ioCounterV2(group),
  };
}

const numberAfter = (text: string | null, key: string): number | null => {
  const line = text?.split('\n').find((each) => each.startsWith(`${key} `));
  return line === undefined ? null : Number(line.slice(key.length + 1));
};

const numberOrNull = (text: string | null): number | null => (text === null ? null : Number(text.trim()));

async function readUsage(layout: Layout): Promise<CgroupUsage> {
  const { cpuUsage } = layout;
  const [cpu, peak, oom, io] = await Promise.all([
    cpuUsage === null ? null : readOrNull(cpuUsage.file),
    readOrNull(layout.peakFile),
    readOrNull(layout.oomFile),
    layout.io.usage(),
  ]);
  const key = cpuUsage?.key ?? null;
  const spent = key === null ? numberOrNull(cpu) : numberAfter(cpu, key);
  const kills = numberAfter(oom, 'oom_kill');
  return {
    cpuMs: spent === null || cpuUsage === null ? null : spent / cpuUsage.perMs,
    memoryPeakBytes: numberOrNull(peak),
    oomKilled: kills === null ? null : kills > 0,
    io,
  };
}

async function apply(setting: Setting): Promise<void> {
  try {
    await writeFile(setting.file, setting.value);
  } catch (reason) {
    if (!setting.optional) throw reason;
  }
}

/**
 * Writes what differs from the limits in force, null for none. v1 refuses a limit of memory above that of memory and swap, so the
 * order is another where memory grows.
 */
async function enforce({ settings }: Layout, limits: JobLimits, before: JobLimits | null): Promise<void> {
  const written = new Map(before === null ? [] : settings(before).map(({ file, value }) => [file, value]));
  const changed = settings(limits).filter(({ file, value }) => written.get(file) !== value);
  const grows = before !== null && limits.memoryBytes > before.memoryBytes;
  for (const setting of grows ? changed.toReversed() : changed) await apply(setting);
}

const membersOf = async (directory: string): Promise<readonly number[]> =>
  ((await readOrNull(join(directory, 'cgroup.procs'))) ?? '').split('\n').filter(Boolean).map(Number);

/**
 * Kills the members of the group at `directory` until none is left: at once where the kernel can (v2), otherwise one by
 * one. A group that makes new ones faster than that is bounded by its pids limit.
 */
export async function killMembers(directory: string): Promise<boolean> {
  return waitUntil(async () => {
    const members = await membersOf(directory);
    if (members.length === 0) return true;
    await writeFile(join(directory, 'cgroup.kill'), '1', { flag: 'r+' }).catch(() => undefined);
    members.forEach((pid) => signalProcess(pid, 'SIGKILL'));
    return false;
  }, EMPTY_WITHIN_MS);
}

/** Removes an empty group; a group is busy for a moment after its last member died. */
export async function removeGroup(directory: string): Promise<boolean> {
  return waitUntil(async () => {
    try {
      await rmdir(directory);
      return true;
    } catch (reason) {
      return errorCodeOf(reason) === 'ENOENT';
    }
  }, EMPTY_WITHIN_MS);
}

async function removeAll(directories: readonly string[]): Promise<readonly string[]> {
  const gone = await Promise.all(directories.map(removeGroup));
  return directories.filter((_, index) => gone[index] === false);
}

/**
 * Makes the group `name` with the limits in force. Throws when a hierarchy that was usable a moment ago no longer is,
 * leaving nothing behind.
 */
export async function createStepCgroup(host: CgroupHost, name: string, limits: JobLimits): Promise<StepCgroup> {
  const layout = host.version === 1 ? layoutV1(host, name) : layoutV2(host, name);
  let inForce = limits;
  try {
    await Promise.all(layout.directories.map((directory) => mkdir(directory)));
    await enforce(layout, limits, null);
    await layout.io.start();
  } catch (reason) {
    await removeAll(layout.directories);
    throw reason;
  }
  return {
    joinFiles: layout.directories.map((directory) => join(directory, layout.joinFile)),
    limit: async (others) => {
      await enforce(layout, others, inForce);
      inForce = others;
    },
    begin: () => layout.io.start(),
    usage: () => readUsage(layout),
    members: () => membersOf(layout.memory),
    kill: () => killMembers(layout.memory),
    remove: () => removeAll(layout.directories),
  };
}

/** Directories in which groups of this host are made; where to look for left-overs. */
export const cgroupParents = (host: CgroupHost): readonly string[] =>
  host.version === 2
    ? [host.parent]
    : [...new Set([host.memory, host.pids, host.cpu, host.cpuacct, host.blkio].filter((each) => each !== null))];
