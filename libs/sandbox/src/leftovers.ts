import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { CGROUP_PREFIX, killMembers, removeGroup, type StepCgroup } from './cgroup/step-cgroup.ts';
import { clearContainers } from './container/engine-client.ts';
import { isMountPoint } from './mount-table.ts';
import { processesWithVariable, signalProcess } from './process-table.ts';
import { emptyDirectory, removeTree } from './remove-tree.ts';
import { wardenLives, readSandboxRecord, type SandboxRecord } from './sandbox-record.ts';
import { waitUntil } from './wait-until.ts';

/** Set in every step's environment: finds the processes of a sandbox wherever they moved. */
export const SANDBOX_VARIABLE = 'DELTA_SANDBOX';

/** A killed process is gone when its last system call is over. */
const DEAD_WITHIN_MS = 5_000;

/** The processes of a sandbox's step: those of its control group, or without one those that carry its mark. */
export const processesIn = async (cgroup: StepCgroup | null, sandboxId: string): Promise<readonly number[]> =>
  cgroup === null ? processesWithVariable(SANDBOX_VARIABLE, sandboxId) : cgroup.members();

/** Kills every process that carries the sandbox's mark, again and again until none is found; the survivors' ids. */
export async function killMarked(sandboxId: string): Promise<readonly number[]> {
  const marked = (): readonly number[] => processesWithVariable(SANDBOX_VARIABLE, sandboxId);
  const gone = await waitUntil(() => {
    const pids = marked();
    pids.forEach((pid) => signalProcess(pid, 'SIGKILL'));
    return pids.length === 0;
  }, DEAD_WITHIN_MS);
  return gone ? [] : marked();
}

/** Removes the groups of a sandbox under `parent` with all that is in them; the ones that would not go. */
async function clearGroups(parent: string, sandboxId: string): Promise<readonly string[]> {
  const names = await readdir(parent).catch(() => []);
  const groups = names.filter((name) => name.startsWith(`${CGROUP_PREFIX}${sandboxId}-`));
  const left: string[] = [];
  for (const name of groups) {
    const group = join(parent, name);
    await killMembers(group);
    if (!(await removeGroup(group))) left.push(group);
  }
  return left;
}

/** A file system is busy for a moment after the last process in it died. */
const UNMOUNTED_WITHIN_MS = 5_000;

async function unmount(paths: readonly string[]): Promise<readonly string[]> {
  const mounted = (): readonly string[] => paths.filter(isMountPoint);
  await waitUntil(async () => {
    const left = mounted();
    if (left.length > 0) await promisify(execFile)('umount', left).catch(() => undefined);
    return mounted().length === 0;
  }, UNMOUNTED_WITHIN_MS);
  return mounted();
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}

/** Deletes what a sandbox wrote; as what it is, so no link is followed, but only once nothing can swap it for one. */
async function clearFiles(directory: string, { workspaceToEmpty }: SandboxRecord): Promise<readonly string[]> {
  const empties = workspaceToEmpty !== null && existsSync(workspaceToEmpty);
  if (empties && !(await succeeds(emptyDirectory(workspaceToEmpty)))) return [workspaceToEmpty];
  return (await succeeds(removeTree(directory))) ? [] : [directory];
}

/** Ends all that is alive of a sandbox: containers, processes, groups. Answers what still is. */
export async function endProcesses(
  { id, cgroupParents, engineSocket }: SandboxRecord,
  sweep: Sweep,
): Promise<readonly string[]> {
  const left: string[] = engineSocket === null ? [] : [...(await clearContainers(engineSocket, id))];
  const marked = sweep === 'all-processes' ? await killMarked(id) : [];
  left.push(...marked.map((pid) => `process ${pid}`));
  for (const parent of cgroupParents) left.push(...(await clearGroups(parent, id)));
  return left;
}

/** `processes-are-gone`: the caller saw every step's processes die with their namespace or group. */
export type Sweep = 'all-processes' | 'processes-are-gone';

/**
 * Undoes all that a sandbox put on the host, in the order in which one thing holds the other: containers, processes and
 * groups, mounts, files. Where something resists, what lies beneath is left alone: deleting files under a process that is
 * still alive would let it choose what is deleted. Answers what is still there.
 */
export async function clearSandbox(directory: string, record: SandboxRecord, sweep: Sweep): Promise<readonly string[]> {
  const alive = await endProcesses(record, sweep);
  if (alive.length > 0) return alive;
  const mounted = await unmount([...record.mounts].reverse());
  return mounted.length > 0 ? mounted.map((path) => `mount ${path}`) : clearFiles(directory, record);
}

/** A directory gets its record within moments, before anything else is made; one without after this long never will. */
const RECORDED_WITHIN_MS = 60_000;

async function removeWhenStale(directory: string): Promise<void> {
  const stat = await lstat(directory).catch(() => null);
  if (stat === null || Date.now() - stat.mtimeMs < RECORDED_WITHIN_MS) return;
  await removeTree(directory);
}

/** A sandbox whose warden is gone, of which something resisted. Its record is kept, so that the next start tries again. */
export type Leftover = {
  readonly id: string;
  /** What is alive, mounted or could not be deleted. */
  readonly resists: readonly string[];
  /** Its workspace, unless that is to be kept anyway, and its mounts: see `isHeld`. Null where nobody knows. */
  readonly holds: readonly string[] | null;
};

export type ReapReport = {
  /** Ids of sandboxes whose warden is gone and of which nothing is left now. */
  readonly reaped: readonly string[];
  readonly leftovers: readonly Leftover[];
};

/**
 * Finishes off the sandboxes of wardens that died. Call it at start with the executors' state directory; it leaves
 * alone what a living warden opened, so several wardens may share one directory.
 */
export async function reapLeftovers(stateDir: string): Promise<ReapReport> {
  const reaped: string[] = [];
  const leftovers: Leftover[] = [];
  for (const name of await readdir(stateDir).catch(() => [])) {
    const directory = join(stateDir, name);
    const found = await findRecord(stateDir, name);
    if ('resists' in found) {
      leftovers.push(found);
      continue;
    }
    const { record } = found;
    if (record === null) await removeWhenStale(directory);
    if (record === null || wardenLives(record)) continue;
    const resists = await clearSandbox(directory, record, 'all-processes');
    if (resists.length === 0) reaped.push(record.id);
    else leftovers.push({ id: record.id, resists, holds: heldBy(record) });
  }
  return { reaped, leftovers };
}

/** A record, none, or what there is where nobody knows. */
async function findRecord(stateDir: string, id: string): Promise<{ readonly record: SandboxRecord | null } | Leftover> {
  const directory = join(stateDir, id);
  try {
    return { record: await readSandboxRecord(directory) };
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason);
    return { id, resists: [`${directory}, whose record cannot be read: ${why}`], holds: null };
  }
}

const heldBy = ({ workspaceToEmpty, mounts }: SandboxRecord): readonly string[] =>
  workspaceToEmpty === null ? mounts : [workspaceToEmpty, ...mounts];

/**
 * Whether something that resisted may choose what is deleted when a directory is: the directory lies in what it holds, or the other
 * way round, or nobody knows what is held. Then deleting has to wait until the next start. Whatever else was left may go.
 */
export async function isHeld(directory: string, leftovers: readonly Leftover[]): Promise<boolean> {
  if (leftovers.some(({ holds }) => holds === null)) return true;
  const place = await whereItIs(directory);
  const held = await Promise.all(leftovers.flatMap(({ holds }) => holds ?? []).map(whereItIs));
  return held.some((path) => isWithin(path, place) || isWithin(place, path));
}

/** A data directory may be told by other paths than it was when the record was written. */
const whereItIs = async (path: string): Promise<string> => realpath(path).catch(() => resolve(path));

const isWithin = (path: string, directory: string): boolean => {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`);
};
