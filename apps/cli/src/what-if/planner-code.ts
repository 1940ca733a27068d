import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBS = ['@delta-ci/planning', '@delta-ci/contracts', '@delta-ci/git'];

/**
 * The SHA-256 of everything that decides a plan besides its inputs: the code that reads commits and that plans them, with
 * the versions of the packages it names. Whoever changes a line of it need not remember to raise a number.
 */
export async function plannerCode(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const folders = [dirname(fileURLToPath(import.meta.url)), ...LIBS.map((name) => dirname(resolve(name)))];
  const digests = await Promise.all(folders.map(digestOfFolder));
  const packages = await Promise.all(folders.slice(1).map((folder) => readFile(join(folder, '..', 'package.json'))));
  const hash = createHash('sha256');
  for (const each of [...digests, ...packages]) hash.update(each).update('\0');
  return hash.digest('hex');
}

/** Compiled code where there is any: declarations and maps decide nothing. */
async function digestOfFolder(folder: string): Promise<string> {
  const listed = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = listed
    .filter((entry) => entry.isFile() && /(?<!\.d)\.(?:js|ts)$/u.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const texts = await Promise.all(paths.map(async (path) => readFile(path)));
  const hash = createHash('sha256');
  texts.forEach((text, at) => hash.update(`${paths[at]?.slice(folder.length) ?? ''}\0${text.length}\0`).update(text));
  return hash.digest('hex');
}
