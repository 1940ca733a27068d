import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a runner carries out its one job: known before there is one, so that its sandbox can stand ready. */
export interface JobDirectory {
  /** Holds the others. */
  readonly directory: string;
  readonly workspaceDir: string;
  readonly gitDir: string;
}

/**
 * A name of its own each time: what a runner that died left on record to be emptied is never the place of a later one, though
 * it may have got the same process id.
 * @param workDir empty, and this process's own
 */
export function jobDirectoryIn(workDir: string): JobDirectory {
  const directory = join(workDir, `job-${randomUUID()}`);
  return { directory, workspaceDir: join(directory, 'workspace'), gitDir: join(directory, 'source.git') };
}

/** Makes what is not there of it. The job, as another user, passes through. */
export async function makeJobDirectory({ directory, workspaceDir, gitDir }: JobDirectory): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  await Promise.all([mkdir(workspaceDir, { recursive: true }), mkdir(gitDir, { recursive: true })]);
}
