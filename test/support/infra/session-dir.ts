import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeOnDeath } from '../../../tools/bootstrap/index.mjs';

export interface SessionDir {
  readonly path: string;
  remove(): Promise<void>;
}

/** A directory for one test session, deleted with everything in it by `remove` or when this process dies. */
export async function createSessionDir(): Promise<SessionDir> {
  const path = await mkdtemp(join(tmpdir(), 'delta-test-'));
  const watch = removeOnDeath(path);
  // Started by root, Postgres runs as another account and must be able to pass through.
  if (process.getuid?.() === 0) await chmod(path, 0o711);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true });
      watch.release();
    },
  };
}
