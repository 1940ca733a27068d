import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Generator } from './generator.ts';

export const repositoryRoot = resolve(import.meta.dirname, '../..');

/** Paths of generated files whose checked-in text is another or missing. */
export async function outdated(generator: Generator): Promise<string[]> {
  const files = Object.entries(await generator.files());
  const differs = await Promise.all(files.map(async ([path, text]) => (await textOf(path)) !== text));
  return files.flatMap(([path], at) => (differs[at] === true ? [path] : []));
}

/** Writes what is outdated; answers its paths. */
export async function regenerate(generator: Generator): Promise<string[]> {
  const files = await generator.files();
  const paths = await outdated(generator);
  for (const path of paths) {
    await mkdir(dirname(join(repositoryRoot, path)), { recursive: true });
    await writeFile(join(repositoryRoot, path), files[path] ?? '');
  }
  return paths;
}

/** The file's text; null when there is no such file. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(join(repositoryRoot, path), 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
