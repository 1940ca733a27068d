// @ts-check
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Where an executable file of that name is found on the search path, or null.
 *
 * @param {string} name
 * @param {{ path?: string | undefined, extraDirs?: readonly string[] }} [where] `path` defaults to $PATH; `extraDirs`
 *   are looked at last (for example `/usr/sbin`, which ordinary users often lack)
 * @returns {Promise<string | null>}
 */
export async function findProgram(name, { path = process.env['PATH'] ?? '', extraDirs = [] } = {}) {
  const dirs = [...path.split(delimiter), ...extraDirs].filter((dir) => isAbsolute(dir));
  for (const dir of dirs) {
    const file = join(dir, name);
    if (await isExecutableFile(file)) return file;
  }
  return null;
}

/** @param {string} file */
export async function isExecutableFile(file) {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** @param {string} path */
export async function isDirectory(path) {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
