import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DiskCap } from '../disk-usage.ts';
import { findProgram, SYSTEM_PROGRAM_DIRS } from '../find-program.ts';

/** Programs that make and mount a file system in a file. Root only. */
export type LoopDiskTools = { readonly mkfs: string; readonly mount: string; readonly umount: string };

const run = promisify(execFile);

/** ext4 wants some room to exist at all, and an inode takes 256 bytes of it. */
const DISK_BYTES_MIN = 4 * 1024 * 1024;
const BYTES_PER_INODE_MIN = 1024;

/**
 * Makes a sparse image of exactly the size and inode count allowed and mounts it at `at`. No journal: what a job leaves
 * is not to survive a crash. Takes about 15 ms.
 */
async function mountImage(tools: LoopDiskTools, image: string, at: string, cap: DiskCap): Promise<void> {
  const bytes = Math.max(cap.diskBytes, DISK_BYTES_MIN);
  const inodes = Math.min(cap.inodes, Math.floor(bytes / BYTES_PER_INODE_MIN));
  const handle = await open(image, 'wx', 0o600);
  await handle.truncate(bytes);
  await handle.close();
  const features = ['-O', '^has_journal,^resize_inode', '-E', 'lazy_itable_init=1,nodiscard'];
  await run(tools.mkfs, ['-q', '-F', '-m', '0', '-N', String(inodes), ...features, image], { env: {} });
  await mkdir(at, { mode: 0o700 });
  await run(tools.mount, ['-t', 'ext4', '-o', 'loop,nodev,nosuid,noatime', image, at], { env: {} });
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
  await mountImage(tools, join(directory, 'disk.img'), disk, cap);
  const [home, workspace] = [join(disk, 'home'), join(disk, 'workspace')];
  await Promise.all([mkdir(home, { mode: 0o700 }), mkdir(workspace, { mode: 0o700 })]);
  await Promise.all([chown(home, uid, uid), chown(workspace, uid, uid), chmod(disk, 0o711)]);
  await run(tools.mount, ['--bind', workspace, workspaceHostDir], { env: {} });
  return home;
}

/** Finds the tools and tries them once under `stateDir`; null when there is no loop disk to be had on this host. */
export async function findLoopDisk(stateDir: string): Promise<LoopDiskTools | null> {
  const [mkfs, mount, umount] = ['mkfs.ext4', 'mount', 'umount'].map((name) => findProgram(name, SYSTEM_PROGRAM_DIRS));
  if (!mkfs || !mount || !umount || !existsSync('/dev/loop-control')) return null;
  const tools: LoopDiskTools = { mkfs, mount, umount };
  const trial = await mkdtemp(join(stateDir, 'disk-trial-'));
  const at = join(trial, 'disk');
  try {
    await mountImage(tools, join(trial, 'disk.img'), at, { diskBytes: DISK_BYTES_MIN, inodes: 100 });
    await run(umount, [at], { env: {} });
    return tools;
  } catch {
    return null;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
