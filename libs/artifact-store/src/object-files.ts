import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@delta-ci/contracts';
import { nullWhenMissing } from './null-when-missing.ts';
import { hexAt } from './object-names.ts';

/** As many objects as are handed out at once. */
const PORTION = 1_000;

/**
 * The objects that stand since before a time, of which each is one file or several, all of them in one of the folders of
 * `directory`: those count of which no file is younger.
 */
export async function* objectsBefore(directory: string, beforeMs: number): AsyncGenerator<readonly Digest[]> {
  const folders = await opendir(directory).catch(nullWhenMissing);
  if (folders === null) return;
  for await (const { name: folder } of folders) {
    const sinceMs = new Map<string, number>();
    for await (const { name } of await opendir(join(directory, folder))) {
      const hex = hexAt(name);
      if (hex === null) continue;
      const found = await stat(join(directory, folder, name)).catch(nullWhenMissing);
      if (found !== null) sinceMs.set(hex, Math.max(found.mtimeMs, sinceMs.get(hex) ?? found.mtimeMs));
    }
    const found = [...sinceMs].filter(([, ms]) => ms < beforeMs).map(([hex]) => `sha256:${hex}`);
    for (let at = 0; at < found.length; at += PORTION) yield found.slice(at, at + PORTION);
  }
}
