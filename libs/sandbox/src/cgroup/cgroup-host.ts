import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unescapeMountField } from '../mount-table.ts';

/**
 * Where this process may make control groups. v1 has one tree per controller, v2 one tree for all. Hosts that mount both
 * keep the controllers in v1 and a v2 tree without any.
 */
export type CgroupHost =
  | {
      readonly version: 2;
      readonly parent: string;
      /** Whether groups made there have the cpu controller: what is delegated to ordinary users often lacks it. */
      readonly cpu: boolean;
    }
  | {
      readonly version: 1;
      readonly memory: string;
      readonly pids: string;
      readonly cpu: string | null;
      readonly cpuacct: string | null;
      readonly blkio: string | null;
    };

export type CgroupFinding =
  | { readonly found: true; readonly host: CgroupHost }
  | { readonly found: false; readonly why: string; readonly remedy: string };

export type CgroupMount = {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly root: string;
  readonly at: string;
};

/** The control group mounts of a `/proc/self/mountinfo`. */
export function parseCgroupMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split('\n').flatMap((line): CgroupMount[] => {
    const [left = '', right = ''] = line.split(' - ');
    const [type, , options = ''] = right.split(' ');
    const fields = left.split(' ');
    const mount = { root: unescapeMountField(fields[3] ?? ''), at: unescapeMountField(fields[4] ?? '') };
    if (type === 'cgroup2') return [{ version: 2, controllers: [], ...mount }];
    return type === 'cgroup' ? [{ version: 1, controllers: options.split(','), ...mount }] : [];
  });
}

const writable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
};

const wordsOf = (path: string): readonly string[] => {
  try {
    return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
};

/** A v1 mount is read-only where it matters when its `cgroup.procs` is: directories on cgroupfs carry no such hint. */
const usableV1 = (mounts: readonly CgroupMount[], controller: string): string | null => {
  const mount = mounts.find((each) => each.version === 1 && each.controllers.includes(controller));
  return mount !== undefined && writable(mount.at) && writable(join(mount.at, 'cgroup.procs')) ? mount.at : null;
};

function findV1(mounts: readonly CgroupMount[]): CgroupHost | null {
  const memory = usableV1(mounts, 'memory');
  const pids = usableV1(mounts, 'pids');
  if (memory === null || pids === null) return null;
  return {
    version: 1,
    memory,
    pids,
    cpu: usableV1(mounts, 'cpu'),
    cpuacct: usableV1(mounts, 'cpuacct'),
    blkio: usableV1(mounts, 'blkio'),
  };
}

const V2_NEEDED = ['memory', 'pids'] as const;

const V2_WELCOME = ['cpu', 'io'] as const;

const handedDown = (directory: string): readonly string[] => wordsOf(join(directory, 'cgroup.subtree_control'));

const controllersIn = (directory: string): readonly string[] => wordsOf(join(directory, 'cgroup.controllers'));

const hasNeeded = (controllers: readonly string[]): boolean =>
  V2_NEEDED.every((controller) => controllers.includes(controller));

const delegates = (directory: string): boolean => hasNeeded(handedDown(directory));

/** Has a group hand its controllers down, which the top group may do while it holds processes and every other may not. */
function enable(directory: string): boolean {
  const available = controllersIn(directory);
  if (!hasNeeded(available)) return false;
  const wanted = [...V2_NEEDED, ...V2_WELCOME.filter((controller) => available.includes(controller))];
  try {
    writeFileSync(join(directory, 'cgroup.subtree_control'), wanted.map((controller) => `+${controller}`).join(' '));
  } catch {
    return false;
  }
  return delegates(directory);
}

/** Where the processes of a group go that has to hand its controllers down. */
const WARDENS_GROUP = 'delta-ci-wardens';

/** Processes start while others are moved; whoever starts them is moved too. */
const MOVES_MAX = 10;

/**
 * Makes a group usable that was delegated with its processes in it, as service managers and container engines do: they go into
 * a group below it. Whoever is started into it later finds that done.
 */
function enableAroundProcesses(directory: string): boolean {
  if (!hasNeeded(controllersIn(directory))) return false;
  const below = join(directory, WARDENS_GROUP);
  try {
    mkdirSync(below, { recursive: true });
  } catch {
    return false;
  }
  for (let move = 0; move < MOVES_MAX; move += 1) {
    for (const pid of wordsOf(join(directory, 'cgroup.procs'))) moveProcess(pid, below);
    if (enable(directory)) return true;
  }
  return false;
}

/** One that has ended meanwhile needs not move; one that may not be moved shows when the group still holds it. */
function moveProcess(pid: string, into: string): void {
  try {
    writeFileSync(join(into, 'cgroup.procs'), pid);
  } catch {
    return;
  }
}

/** Own group and its ancestors, nearest first, down from the mount's root. */
function ownLine(mount: CgroupMount, selfCgroup: string): readonly string[] {
  const own = selfCgroup
    .split('\n')
    .find((line) => line.startsWith('0::'))
    ?.slice(3);
  if (own === undefined) return [mount.at];
  const inside = own.startsWith(mount.root) ? own.slice(mount.root.length) : own;
  const parts = inside.split('/').filter((part) => part !== '' && part !== '..');
  return parts.map((_, index) => join(mount.at, ...parts.slice(0, parts.length - index))).concat(mount.at);
}

function findV2(mounts: readonly CgroupMount[], selfCgroup: string): CgroupHost | null {
  const mount = mounts.find((each) => each.version === 2);
  if (mount === undefined) return null;
  const mayUse = (directory: string): boolean => writable(directory) && writable(join(directory, 'cgroup.procs'));
  const usable = ownLine(mount, selfCgroup).filter(mayUse);
  const parent =
    usable.find((directory) => delegates(directory) || (directory === mount.at && enable(directory))) ??
    usable.find(enableAroundProcesses);
  return parent === undefined ? null : { version: 2, parent, cpu: handedDown(parent).includes('cpu') };
}

/** Judges what the kernel says about mounts and our own group. Split from the reading so that both can be tested. */
export function findCgroupHost(mountinfo: string, selfCgroup: string): CgroupFinding {
  const mounts = parseCgroupMounts(mountinfo);
  const host = findV1(mounts) ?? findV2(mounts, selfCgroup);
  if (host !== null) return { found: true, host };
  return {
    found: false,
    why:
      mounts.length === 0
        ? 'no control groups are mounted'
        : 'this process may not create control groups with the memory and pids controllers',
    remedy: 'run as root, or under `systemd-run --user --scope -p Delegate=yes`, or as a unit with Delegate=yes',
  };
}

/** The controllers that bound a job in these groups. */
export function controllersOf(host: CgroupHost): readonly string[] {
  if (host.version === 2) return handedDown(host.parent).toSorted();
  return ['memory', 'pids', ...(host.cpu === null ? [] : ['cpu']), ...(host.cpuacct === null ? [] : ['cpuacct'])];
}

/** What this process may do about control groups on this host. */
export function detectCgroups(): CgroupFinding {
  try {
    return findCgroupHost(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync('/proc/self/cgroup', 'utf8'));
  } catch {
    return { found: false, why: 'this system has no control groups', remedy: 'run on Linux' };
  }
}
