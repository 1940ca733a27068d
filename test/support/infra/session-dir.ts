import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../tools/bootstrap/index.mjs';

const PREFIX = 'delta-test-';

/** A directory for one test session; those of sessions that were killed are deleted on the way. */
export async function createSessionDir(): Promise<string> {
  await removeAbandoned();
  const dir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // Started by root, Postgres runs as another account and must be able to pass through.
  if (process.getuid?.() === 0) await chmod(dir, 0o711);
  return dir;
}

async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^delta-test-(\d+)-/.exec(name)?.[1]);
    if (!Number.isInteger(pid) || isAlive(pid)) continue;
    const dir = join(tmpdir(), name);
    const found = await lstat(dir).catch(() => null);
    if (found?.uid === process.getuid?.()) await rm(dir, { recursive: true, force: true });
  }
}
