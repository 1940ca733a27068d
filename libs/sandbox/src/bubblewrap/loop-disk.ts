import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DiskCap } from '../disk-usage.ts';
import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';

/** Programs that make and mount a file system in a file. Root only. */
export type LoopDiskTools = { readonly mkfs: string; readonly mount: string };

const run = promisify(execFile);

/** ext4 wants some room to exist at all, and an inode takes 256 bytes of it. */
const DISK_BYTES_MIN = 4 * 1024 * 1024;
const BYTES_PER_INODE_MIN = 1024;

/**
 * Makes a file system in the sparse file `$4` and mounts it at `$5`. One shell for both: starting a program from Node
 * costs as much as either takes. No journal, because nothing a job leaves is to survive a crash.
 */
const MAKE_DISK = [
  '"$1" -q -F -m 0 -N "$3" -O ^has_journal,^resize_inode -E lazy_itable_init=1,nodiscard "$4" || exit',
  'exec "$2" -t ext4 -o loop,nodev,nosuid,noatime "$4" "$5"',
].join('; ');

/** `before`: a command that runs the shell in which the disk is made, such as one that gives it other mounts. */
async function makeDisk(
  tools: LoopDiskTools,
  image: string,
  at: string,
  cap: DiskCap,
  before: readonly string[] = [],
): Promise<void> {
  const bytes = Math.max(cap.diskBytes, DISK_BYTES_MIN);
  const inodes = Math.min(cap.inodes, Math.floor(bytes / BYTES_PER_INODE_MIN));
  const handle = await open(image, 'wx', 0o600);
  await handle.truncate(bytes);
  await handle.close();
  await mkdir(at, { mode: 0o711 });
  const shell = ['/bin/sh', '-c', MAKE_DISK, 'sh', tools.mkfs, tools.mount, String(inodes), image, at];
  const [program = '', ...args] = [...before, ...shell];
  await run(program, args, { env: {} });
}

async function makeOwn(directory: string, uid: number): Promise<string> {
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, uid, uid);
  return directory;
}

/** The mounts a loop disk makes, in order: to be known before they exist. */
export const loopDiskMounts = (directory: string, workspaceHostDir: string): readonly string[] => [
  join(directory, 'disk'),
  workspaceHostDir,
];

/**
 * Puts a file system of capped size under `directory` and over the (empty) workspace. Home lies on it as well; its path
 * is the answer.
 */
export async function mountLoopDisk(
  tools: LoopDiskTools,
  directory: string,
  workspaceHostDir: string,
  uid: number,
  cap: DiskCap,
): Promise<string> {
  const disk = join(directory, 'disk');
  await makeDisk(tools, join(directory, 'disk.img'), disk, cap);
  const [home, workspace] = await Promise.all([
    makeOwn(join(disk, 'home'), uid),
    makeOwn(join(disk, 'workspace'), uid),
  ]);
  await run(tools.mount, ['--bind', workspace, workspaceHostDir], { env: {} });
  return home;
}

/**
 * Finds the tools and tries them once under `stateDir`; null when there is no loop disk to be had on this host. The trial
 * has mounts of its own, which end with its process: whoever is killed meanwhile leaves no mount behind.
 */
export async function findLoopDisk(stateDir: string): Promise<LoopDiskTools | null> {
  const programs = ['mkfs.ext4', 'mount', 'umount', 'unshare'].map((name) => findProgram(name, SYSTEM_PROGRAM_DIRS));
  const [mkfs, mount, umount, unshare] = programs;
  if (!mkfs || !mount || !umount || !unshare || !existsSync('/dev/loop-control')) return null;
  const tools: LoopDiskTools = { mkfs, mount };
  const trial = await mkdtemp(join(stateDir, 'disk-trial-'));
  const cap = { diskBytes: DISK_BYTES_MIN, inodes: 100 };
  try {
    await makeDisk(tools, join(trial, 'disk.img'), join(trial, 'disk'), cap, [unshare, '--mount']);
    return tools;
  } catch {
    return null;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
