import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^work-([1-9][0-9]*)$/;

/**
 * Where this process works, under its own id: another one in the same data directory may outlive its controller and
 * finish its job meanwhile. What processes that are gone left behind is removed.
 */
export async function ownWorkDirectory(dataDir: string): Promise<string> {
  const names = await readdir(dataDir);
  for (const name of names) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !lives(Number(pid))) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const own = join(dataDir, `work-${process.pid}`);
  // The directory of an earlier process with our number: nobody else has it now.
  await rm(own, { recursive: true, force: true });
  await mkdir(own, { mode: 0o711 });
  return own;
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
