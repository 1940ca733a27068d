import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** Absolute path of a program: `name` itself when it is a path, otherwise the first in `directories`; null for none. */
export function findProgram(name: string, directories: readonly string[]): string | null {
  const candidates = name.includes('/') ? [name] : directories.map((directory) => join(directory, name));
  return candidates.find(isProgram) ?? null;
}

/** Where system programs lie, whatever PATH says. */
export const SYSTEM_PROGRAM_DIRS: readonly string[] = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
