import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@delta-ci/contracts';
import { nullWhenMissing } from './null-when-missing.ts';

/** The name of an object: its digest. */
export const HEX = /^[0-9a-f]{64}$/;

/** As many objects as are handed out at once. */
const PORTION = 1_000;

/**
 * The objects that stand since before a time, of which each is one file or several, all of them in one of the folders of
 * `directory`: those count of which no file is younger.
 * @param hexOf the object's digest by a file's name; null for what is no object
 */
export async function* objectsBefore(
  directory: string,
  beforeMs: number,
  hexOf: (name: string) => string | null,
): AsyncGenerator<readonly Digest[]> {
  const folders = await opendir(directory).catch(nullWhenMissing);
  if (folders === null) return;
  for await (const { name: folder } of folders) {
    const sinceMs = new Map<string, number>();
    for await (const { name } of await opendir(join(directory, folder))) {
      const hex = hexOf(name);
      if (hex === null) continue;
      const found = await stat(join(directory, folder, name)).catch(nullWhenMissing);
      if (found !== null) sinceMs.set(hex, Math.max(found.mtimeMs, sinceMs.get(hex) ?? found.mtimeMs));
    }
    const found = [...sinceMs].filter(([, ms]) => ms < beforeMs).map(([hex]) => `sha256:${hex}`);
    for (let at = 0; at < found.length; at += PORTION) yield found.slice(at, at + PORTION);
  }
}
