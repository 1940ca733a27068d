// @ts-check
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isExecutableFile } from './find-program.mjs';
import { withLock } from './lock-file.mjs';

/**
 * A way to fill an empty directory with a program's files.
 *
 * @typedef {object} Source
 * @property {string} name for messages
 * @property {string} file the program inside the directory
 * @property {(into: string) => Promise<{ unpacked: true } | { unpacked: false, reason: string }>} unpack
 */

/** @typedef {{ path: string, from: string } | { path: null, reasons: string[] }} Fetched */

/**
 * The program from the cache, or else from the first source that can give it. What is in the cache is complete: a
 * directory appears there under its name only when it is filled.
 *
 * @param {object} wanted
 * @param {string} wanted.cacheDir
 * @param {string} wanted.name of the program
 * @param {readonly Source[]} wanted.sources best first
 * @param {(text: string) => void} wanted.say
 * @returns {Promise<Fetched>}
 */
export async function cachedProgram({ cacheDir, name, sources, say }) {
  const cached = await findCachedProgram({ cacheDir, name, sources });
  if (cached !== null) return cached;
  return withLock(join(cacheDir, `${name}.lock`), async () => {
    const filledMeanwhile = await findCachedProgram({ cacheDir, name, sources });
    if (filledMeanwhile !== null) return filledMeanwhile;
    const reasons = [];
    for (const source of sources) {
      say(`fetching from ${source.name}...`);
      const result = await fill(join(cacheDir, directoryOf(name, source)), source);
      if (result.unpacked) return { path: join(cacheDir, directoryOf(name, source), source.file), from: source.name };
      reasons.push(`${source.name}: ${result.reason}`);
    }
    return { path: null, reasons };
  });
}

/**
 * @param {{ cacheDir: string, name: string, sources: readonly Source[] }} wanted
 * @returns {Promise<{ path: string, from: string } | null>}
 */
export async function findCachedProgram({ cacheDir, name, sources }) {
  for (const source of sources) {
    const path = join(cacheDir, directoryOf(name, source), source.file);
    if (await isExecutableFile(path)) return { path, from: `cache (${source.name})` };
  }
  return null;
}

/** @param {string} target @param {Source} source */
async function fill(target, { file, unpack }) {
  const draft = `${target}.${randomUUID()}`;
  try {
    await mkdir(draft);
    const result = await unpack(draft);
    if (!result.unpacked) return result;
    if (!(await isExecutableFile(join(draft, file)))) return { unpacked: false, reason: `it has no ${file}` };
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
    return result;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Platform and architecture are part of the name because homes are shared over networks.
 *
 * @param {string} name
 * @param {Source} source
 */
function directoryOf(name, source) {
  return `${name}-${source.name.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-')}-${process.platform}-${process.arch}`;
}
