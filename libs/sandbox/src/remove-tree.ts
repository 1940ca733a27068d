import { chmod, lchown, lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Every directory below `root`, itself first, no link followed. `enter` is called before one is read. */
async function walkDirectories(root: string, enter: (directory: string) => Promise<void>): Promise<void> {
  const pending = [root];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    await enter(directory);
    for await (const entry of await opendir(directory)) {
      if (entry.isDirectory()) pending.push(join(directory, entry.name));
    }
  }
}

/** Deletes a tree that may contain directories nobody may enter. No process may be working in it. */
export async function removeTree(root: string): Promise<void> {
  if ((await lstat(root).catch(() => null)) === null) return;
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    // Root enters everything; anybody else must first open what the job closed. Then the same again, for good.
    await walkDirectories(root, (directory) => chmod(directory, 0o700));
    await rm(root, { recursive: true, force: true });
  }
}

/** Deletes what is in a directory and keeps the directory. */
export async function emptyDirectory(root: string): Promise<void> {
  const names: string[] = [];
  for await (const entry of await opendir(root)) names.push(entry.name);
  for (const name of names) await removeTree(join(root, name));
}

/** Gives a tree to `uid` (and the group of the same number), links themselves rather than what they point to. */
export async function giveTree(root: string, uid: number): Promise<void> {
  await lchown(root, uid, uid);
  for await (const entry of await opendir(root)) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) await giveTree(path, uid);
    else await lchown(path, uid, uid);
  }
}
