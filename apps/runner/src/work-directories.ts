import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^work-([1-9][0-9]*)$/;

/**
 * Where this process works, under its own id: another one in the same data directory may outlive its controller and
 * finish its job meanwhile. What processes that are gone left behind is removed.
 * @param resists something of a job of theirs is alive or mounted still: nothing is deleted below it
 */
export async function ownWorkDirectory(dataDir: string, resists: boolean): Promise<string> {
  const own = join(dataDir, `work-${process.pid}`);
  if (!resists) await removeLeft(dataDir, own);
  await mkdir(own, { recursive: true, mode: 0o711 });
  return own;
}

/** Removes it, but for what was kept in it. */
export async function leaveWorkDirectory(own: string): Promise<void> {
  await rmdir(own).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'ENOENT')))
      throw error;
  });
}

async function removeLeft(dataDir: string, own: string): Promise<void> {
  const names = await readdir(dataDir);
  for (const name of names) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !lives(Number(pid))) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  // The directory of an earlier process with our number: nobody else has it now.
  await rm(own, { recursive: true, force: true });
}

function lives(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process is alive all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
