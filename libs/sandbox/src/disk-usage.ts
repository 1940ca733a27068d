import { execFile } from 'node:child_process';
import { lstat, opendir, readFile, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorCodeOf } from './error-code.ts';
import { findProgram, SYSTEM_PROGRAM_DIRS } from './find-program.ts';

export type DiskUsage = { readonly bytes: number; readonly inodes: number };

export type DiskCap = { readonly diskBytes: number; readonly inodes: number };

const exceeds = (usage: DiskUsage, cap: DiskCap): boolean => usage.bytes > cap.diskBytes || usage.inodes > cap.inodes;

/** PATH_MAX of Linux, less its closing NUL. */
const PATH_BYTES_MAX = 4_095;

const isNameable = (path: string): boolean => Buffer.byteLength(path) <= PATH_BYTES_MAX;

/** What a tree takes that holds names which are no text, or paths longer than the kernel takes: asked of a program that goes from one directory to the next. */
async function bytesBelow(directory: string, signal: AbortSignal): Promise<number> {
  const du = findProgram('du', SYSTEM_PROGRAM_DIRS) ?? 'du';
  const args = ['-s', '-x', '-k', '--', directory];
  const said = await promisify(execFile)(du, args, { env: {}, signal }).catch((reason: { stdout?: string }) => reason);
  return (Number.parseInt(said.stdout ?? '', 10) || 0) * 1024;
}

/**
 * In /proc/PID/maps: where a mapping lies whose file was deleted, or has a name that looks like it, and which file that is. Addresses
 * are padded there, and are not in the names of `map_files`.
 */
const DELETED_MAPPING = /^0*([0-9a-f]+)-0*([0-9a-f]+) \S+ \S+ (\S+ \d+) .* \(deleted\)$/s;

/** Where the files of a process are found that it holds: those that are open, its program, and each that is mapped, once. */
async function heldBy(pid: number): Promise<readonly string[]> {
  const own = `/proc/${pid}`;
  const [open, maps] = await Promise.all([
    readdir(`${own}/fd`).catch(() => []),
    readFile(`${own}/maps`, 'latin1').catch(() => ''),
  ]);
  const mapped = new Map<string, string>();
  for (const line of maps.split('\n')) {
    const [, from, to, file] = DELETED_MAPPING.exec(line) ?? [];
    if (file !== undefined) mapped.set(file, `${own}/map_files/${from}-${to}`);
  }
  return [`${own}/exe`, ...open.map((fd) => `${own}/fd/${fd}`), ...mapped.values()];
}

/**
 * What files take on the file system of `root` that were deleted and that some of the processes still hold: no walk finds them. Not
 * seen is what is in a message between processes or in a table of open files that a thread has for itself, and, unless we are root,
 * a file that is mapped only and no program. Stops as soon as it is more than `bytesMax` or the signal is raised: a job can hold more
 * than anybody wants to look at.
 */
export async function deletedBytes(
  root: string,
  pids: readonly number[],
  bytesMax: number,
  signal: AbortSignal,
): Promise<number> {
  // In a tier that does not isolate, a job can delete its own workspace.
  const dev = (await lstat(root).catch(() => null))?.dev;
  const found = new Set<number>();
  let bytes = 0;
  for (const pid of pids) {
    for (const place of await heldBy(pid)) {
      if (signal.aborted || bytes > bytesMax) return bytes;
      const file = await stat(place).catch(() => null);
      if (file?.isFile() !== true || file.nlink > 0 || file.dev !== dev || found.has(file.ino)) continue;
      found.add(file.ino);
      bytes += file.blocks * 512;
    }
  }
  return bytes;
}

/**
 * Adds up what lies below `roots`, in allocated blocks, following nothing. Stops as soon as `cap` is exceeded or the
 * signal is raised: a job can make a tree that takes longer to walk than anybody wants to wait.
 */
export async function measureDisk(roots: readonly string[], cap: DiskCap, signal: AbortSignal): Promise<DiskUsage> {
  const pending = [...roots];
  const unnameable = new Set<string>();
  let usage: DiskUsage = { bytes: 0, inodes: 0 };
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      for await (const entry of await opendir(directory)) {
        if (signal.aborted || exceeds(usage, cap)) return usage;
        if (entry.name.includes('\uFFFD')) unnameable.add(directory);
        const path = join(directory, entry.name);
        const { blocks } = await lstat(path);
        usage = { bytes: usage.bytes + blocks * 512, inodes: usage.inodes + 1 };
        if (entry.isDirectory()) pending.push(path);
      }
    } catch (reason) {
      // Gone or closed to us since we saw it: what cannot be read now is counted at the next look.
      if (errorCodeOf(reason) === 'ENAMETOOLONG')
        unnameable.add(isNameable(directory) ? directory : dirname(directory));
    }
  }
  for (const directory of unnameable) {
    usage = { ...usage, bytes: usage.bytes + (await bytesBelow(directory, signal)) };
  }
  return usage;
}

const LOOK_EVERY_MS = 2_000;
/** A look may take a twentieth of the time, so that looking costs 5 % of one CPU. */
const LOOK_SHARE = 20;
/** Nobody goes unwatched for longer, even where looking costs more then: a job could make it slow to be left alone. */
const UNWATCHED_MS_MAX = 60_000;

/** How long to wait after a look at the disk that took so long, both in milliseconds. */
export const pauseAfterLook = (tookMs: number): number =>
  Math.min(UNWATCHED_MS_MAX, Math.max(LOOK_EVERY_MS, tookMs * LOOK_SHARE));

/** The files that a job holds are looked at for so long: one that holds more does it to have nobody look. */
const HELD_MS_MAX = 30_000;

/**
 * Resolves once `roots`, and what `processesOf` hold of deleted files beside the first of them, together exceed `cap`, or they hold
 * so many that they cannot be looked at in time; never when `signal` is raised first.
 */
export async function diskExceeded(
  roots: readonly [string, ...string[]],
  cap: DiskCap,
  signal: AbortSignal,
  processesOf: () => Promise<readonly number[]> = async () => [],
): Promise<void> {
  for (let pauseMs = pauseAfterLook(0); !signal.aborted;) {
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) break;
    const startedAt = performance.now();
    const { bytes, inodes } = await measureDisk(roots, cap, signal);
    const late = AbortSignal.timeout(HELD_MS_MAX);
    const either = AbortSignal.any([signal, late]);
    const deleted = await deletedBytes(roots[0], await processesOf(), cap.diskBytes - bytes, either);
    if (signal.aborted) break;
    if (late.aborted || exceeds({ bytes: bytes + deleted, inodes }, cap)) return;
    pauseMs = pauseAfterLook(performance.now() - startedAt);
  }
  await new Promise<never>(() => undefined);
}

/** A file system with less room than this is full to whoever was refused a write: what is left lies between files. */
const ROOM_BYTES_MIN = 64 * 1024;

/** Whether the file system at `path` has no room for another file, or for more in one. */
export async function isFull(path: string): Promise<boolean> {
  const { bavail, bsize, ffree } = await statfs(path);
  return bavail * bsize < ROOM_BYTES_MIN || ffree === 0;
}
