import { execFile } from 'node:child_process';
import { chmod, lchown, lstat, opendir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, SYSTEM_PROGRAM_DIRS } from './find-program.ts';

const systemProgram = (name: string): string => findProgram(name, SYSTEM_PROGRAM_DIRS) ?? name;

/**
 * Deletes what is below `root` by programs that go from one directory to the next: no name has to be text for them, and no path
 * short enough for the kernel. They follow no link. Whatever resists is left, without a word.
 */
async function emptyByPrograms(root: string): Promise<void> {
  const run = promisify(execFile);
  const options = { env: {}, maxBuffer: 2 ** 28 };
  // Root enters everything; anybody else must first open what the job closed.
  await run(systemProgram('chmod'), ['-R', 'u+rwx', '--', root], options).catch(() => undefined);
  await run(systemProgram('find'), [root, '-mindepth', '1', '-delete'], options).catch(() => undefined);
}

/** Deletes a tree that may contain anything: see `emptyByPrograms`. No process may be working in it. Throws when it resists. */
export async function removeTree(root: string): Promise<void> {
  if ((await lstat(root).catch(() => null)) === null) return;
  try {
    await rm(root, { recursive: true, force: true });
  } catch {
    await emptyByPrograms(root);
    await rmdir(root);
  }
}

const OWNER_MAY_ALL = 0o700;

/** Deletes what is in a directory and keeps the directory, which its owner may enter again. Throws when something resists. */
export async function emptyDirectory(root: string): Promise<void> {
  const { mode } = await lstat(root);
  if ((mode & OWNER_MAY_ALL) !== OWNER_MAY_ALL) await chmod(root, mode | OWNER_MAY_ALL);
  for (const name of await readdir(root)) {
    await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
  const isEmpty = async (): Promise<boolean> => (await readdir(root)).length === 0;
  if (await isEmpty()) return;
  await emptyByPrograms(root);
  if (!(await isEmpty())) throw new Error(`${root} cannot be emptied`);
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
