import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type DiskUsage = { readonly bytes: number; readonly inodes: number };

export type DiskCap = { readonly diskBytes: number; readonly inodes: number };

const exceeds = (usage: DiskUsage, cap: DiskCap): boolean => usage.bytes > cap.diskBytes || usage.inodes > cap.inodes;

/**
 * Adds up what lies below `roots`, in allocated blocks, following nothing. Stops as soon as `cap` is exceeded or the
 * signal is raised: a job can make a tree that takes longer to walk than anybody wants to wait.
 */
export async function measureDisk(roots: readonly string[], cap: DiskCap, signal: AbortSignal): Promise<DiskUsage> {
  const pending = [...roots];
  let usage: DiskUsage = { bytes: 0, inodes: 0 };
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      for await (const entry of await opendir(directory)) {
        if (signal.aborted || exceeds(usage, cap)) return usage;
        const path = join(directory, entry.name);
        const stat = await lstat(path);
        usage = { bytes: usage.bytes + stat.blocks * 512, inodes: usage.inodes + 1 };
        if (entry.isDirectory()) pending.push(path);
      }
    } catch {
      // Gone or closed to us since we saw it: what cannot be read now is counted at the next look.
      continue;
    }
  }
  return usage;
}

/** Between two looks at the disk. Each look may take a twentieth of the time, so that it costs 5 % of one CPU at most. */
const LOOK_EVERY_MS = 2_000;
const LOOK_SHARE = 20;

/** Resolves once `roots` together exceed `cap`; never when `signal` is raised first. */
export async function diskExceeded(roots: readonly string[], cap: DiskCap, signal: AbortSignal): Promise<void> {
  for (let pauseMs = LOOK_EVERY_MS; !signal.aborted;) {
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) break;
    const startedAt = performance.now();
    if (exceeds(await measureDisk(roots, cap, signal), cap)) return;
    pauseMs = Math.max(LOOK_EVERY_MS, (performance.now() - startedAt) * LOOK_SHARE);
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
