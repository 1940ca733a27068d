import { lstat, opendir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes the files below `directory` that nobody has written to since `beforeMs`, and the directories that are empty
 * then. Somebody else may remove or write in there meanwhile: what is gone already, or not empty, is passed over.
 * Answers how many files it removed.
 */
export async function removeFilesBefore(directory: string, beforeMs: number): Promise<number> {
  let removed = 0;
  const entries = await opendir(directory).catch(() => null);
  if (entries === null) return 0;
  for await (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      removed += await removeFilesBefore(path, beforeMs);
      await rmdir(path).catch(() => undefined);
      continue;
    }
    const found = await lstat(path).catch(() => null);
    if (found === null || found.mtimeMs >= beforeMs) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}
