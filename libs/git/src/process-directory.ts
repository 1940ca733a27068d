import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from './system-error.ts';

/** Of a host's name, what is safe in a file's. */
const hostPart = (): string =>
  hostname()
    .replaceAll(/[^A-Za-z0-9]/g, '_')
    .slice(0, 60) || 'host';

/**
 * Makes a directory for this process alone and puts the process into its name: what a killed process left can be told
 * from what a living one needs. The host is part of it, since homes and temporary files may be shared between hosts.
 */
export async function makeProcessDirectory(parent: string, prefix: string): Promise<string> {
  return mkdtemp(join(parent, `${prefix}-${hostPart()}-${process.pid}-`));
}

export interface ForsakenDirectories {
  /** Names of those that were removed. */
  readonly removed: readonly string[];
  /** Those that could not be removed, wholly at least. */
  readonly left: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Removes what processes of this user on this host left behind that are gone: directories made by `makeProcessDirectory`.
 * A number that a later process has by now keeps its directory until that one is gone as well. One that resists keeps no other.
 * @param isHeld whether a directory, by its path, has to stay
 */
export async function removeForsakenDirectories(
  parent: string,
  prefix: string,
  isHeld: (path: string) => Promise<boolean> = async () => Promise.resolve(false),
): Promise<ForsakenDirectories> {
  const removed: string[] = [];
  const left: { path: string; why: string }[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = pidIn(name, prefix);
    const path = join(parent, name);
    if (pid === null || lives(pid) || !(await isOurs(path)) || (await isHeld(path))) continue;
    try {
      await rm(path, { recursive: true, force: true });
      removed.push(name);
    } catch (error) {
      left.push({ path, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { removed, left };
}

function pidIn(name: string, prefix: string): number | null {
  const start = `${prefix}-${hostPart()}-`;
  if (!name.startsWith(start)) return null;
  const pid = /^([1-9][0-9]*)-[A-Za-z0-9]{6}$/.exec(name.slice(start.length))?.[1];
  return pid === undefined ? null : Number(pid);
}

/** In a directory where anybody may write, a name alone says nothing: it must be a directory, and this user's. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && found.isDirectory() && found.uid === process.getuid?.();
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive all the same.
    return !hasErrorCode(error, 'ESRCH');
  }
}
