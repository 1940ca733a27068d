import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isHeld, type Leftover } from '@delta-ci/sandbox';
import type { Logger } from '@delta-ci/service';

const NAME = /^work-([1-9][0-9]*)(?:-[0-9a-f]+)?$/;

/**
 * Makes the directory in which this process works: another one in the same data directory may outlive its controller and finish
 * its job meanwhile. Nobody had its name before, so whatever still removes an earlier one does not meet it.
 */
export async function ownWorkDirectory(dataDir: string): Promise<string> {
  const own = join(dataDir, `work-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(own, { mode: 0o711 });
  return own;
}

/** Removes it, but for what was kept in it. */
export async function leaveWorkDirectory(own: string): Promise<void> {
  await rmdir(own).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'ENOENT'].includes(codeOf(error))) throw error;
  });
}

/**
 * Removes what processes that are gone left behind. Nothing is deleted where something of a job of theirs resists, which is said, and
 * what to do about it; neither that nor a directory that cannot be removed keeps any other.
 */
export async function removeForsaken(
  dataDir: string,
  own: string,
  leftovers: readonly Leftover[],
  logger: Logger,
): Promise<void> {
  const again = `the next runner that starts in ${dataDir} tries again`;
  for (const { id, resists } of leftovers)
    logger.warn({ event: 'sandbox-not-removed', sandbox: id, leftovers: resists }, `kill or unmount it: ${again}`);
  for (const name of await readdir(dataDir)) {
    const pid = NAME.exec(name)?.[1];
    const directory = join(dataDir, name);
    if (pid === undefined || directory === own || isOther(Number(pid)) || (await isHeld(directory, leftovers)))
      continue;
    try {
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      logger.warn({ event: 'directory-not-removed', directory, err: error }, again);
    }
  }
}

/** Whether a process lives that has this id, and is not this one. */
function isOther(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive all the same.
    return codeOf(error) === 'EPERM';
  }
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
