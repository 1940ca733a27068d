import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

/** Cuts bytes off the end of the newest block of every stream, as a lost write-back does. The server must not run. */
export async function cutStore(storeDir: string, bytes: number): Promise<void> {
  const files = await readdir(storeDir, { recursive: true, withFileTypes: true });
  const blocks = files.filter(
    (file) => file.isFile() && file.name.endsWith('.blk') && file.parentPath.endsWith('/msgs'),
  );
  const newest = new Map<string, string>();
  for (const { parentPath, name } of blocks) {
    const known = newest.get(parentPath);
    if (known === undefined || Number.parseInt(name, 10) > Number.parseInt(known, 10)) newest.set(parentPath, name);
  }
  for (const [dir, name] of newest) {
    const file = join(dir, name);
    await truncate(file, Math.max(0, (await stat(file)).size - bytes));
  }
}

/** Deletes the whole store. The server must not run. */
export async function wipeStore(storeDir: string): Promise<void> {
  for (const name of await readdir(storeDir)) await rm(join(storeDir, name), { recursive: true, force: true });
}
