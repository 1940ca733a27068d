import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';

/** Readable by its owner alone. */
const MODE = 0o600;

/**
 * The text of a private file. When there is none it is written from `make` first: whole or not at all, so that two
 * gateways that start at once agree on one text.
 */
export async function readOrMake(path: string, make: () => string): Promise<{ text: string; made: boolean }> {
  const found = await readIfThere(path);
  if (found !== null) return { text: found, made: false };
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${randomUUID()}`;
  try {
    const file = await open(aside, 'wx', MODE);
    try {
      await file.writeFile(`${make()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    const made = await linkUnlessThere(aside, path);
    const text = await readIfThere(path);
    if (text === null) throw new Error(`${path} has no content`);
    return { text, made };
  } finally {
    await rm(aside, { force: true });
  }
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
