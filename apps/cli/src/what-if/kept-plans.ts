import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { errorCode, errorMessage } from '../error-code.ts';
import { outlineFrom, type PlanOutline } from './plan-outline.ts';

/** Where outlines of plans are looked for before a plan is made, and kept when it was. */
export interface Plans {
  readonly find: (key: string) => Promise<PlanOutline | null>;
  readonly keep: (key: string, outline: PlanOutline) => Promise<void>;
}

export const NO_PLANS: Plans = { find: async () => null, keep: async () => undefined };

/** Some ten thousand commits of large repositories. */
const BYTES_MAX = 64 * 1_024 ** 2;
/** As much as one entry may take, packed and unpacked: ten thousand jobs have keys of a megabyte. */
const ENTRY_BYTES_MAX = 4 * 1_024 ** 2;
const TEXT_BYTES_MAX = 32 * 1_024 ** 2;
/** What nobody has finished writing by then, nobody will. */
const UNFINISHED_MS_MAX = 60 * 60_000;

const DIGEST_BYTES = 32;
const NAME = /^[0-9a-f]{64}$/u;

/**
 * Outlines of plans in a directory, a file each, that several processes may use at once. A file holds the SHA-256 of its name
 * and of what follows, and the outline as packed JSON; it is written under another name and then renamed, so it is there
 * whole or not at all. Whatever cannot be read back as it was written counts as not there. What was used
 * longest ago goes first when there is too much.
 */
export class KeptPlans implements Plans {
  readonly #directory: string;
  readonly #bytesMax: number;
  #written = 0;
  #found = 0;
  #damaged = 0;
  /** Why nothing more is written. */
  #trouble: string | null = null;

  private constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** Makes the directory where there is none. Never throws: without one nothing is found, and `notes` says why. */
  static async in(directory: string, bytesMax: number = BYTES_MAX): Promise<KeptPlans> {
    const plans = new KeptPlans(directory, bytesMax);
    await plans.#tried(() => mkdir(directory, { recursive: true, mode: 0o700 }));
    return plans;
  }

  async find(key: string): Promise<PlanOutline | null> {
    const path = join(this.#directory, key);
    const bytes = await bytesOf(path);
    if (bytes === null) return null;
    const outline = bytes === 'damaged' ? null : outlineIn(key, bytes);
    if (outline === null) {
      this.#damaged += 1;
      return null;
    }
    this.#found += 1;
    const now = new Date();
    // For whoever decides what was used longest ago; a cache that cannot be written to is of use all the same.
    await utimes(path, now, now).catch(() => undefined);
    return outline;
  }

  async keep(key: string, outline: PlanOutline): Promise<void> {
    if (this.#trouble !== null) return;
    const packed = deflateRawSync(JSON.stringify(outline));
    if (packed.length > ENTRY_BYTES_MAX - DIGEST_BYTES) return;
    const unfinished = join(this.#directory, `${key}.${randomUUID()}.tmp`);
    await this.#tried(async () => {
      await writeFile(unfinished, Buffer.concat([digestOf(key, packed), packed]), { flag: 'wx', mode: 0o600 });
      await rename(unfinished, join(this.#directory, key));
      this.#written += 1;
    });
    if (this.#trouble !== null) await unlink(unfinished).catch(() => undefined);
  }

  /** Takes away what is too much. To be called once at the end. */
  async tidy(): Promise<void> {
    if (this.#written === 0) return;
    await this.#tried(async () => {
      let bytes = 0;
      for (const { name, size, usedMs } of await this.#files()) {
        bytes += size;
        const isUnfinished = !NAME.test(name) && Date.now() - usedMs > UNFINISHED_MS_MAX;
        // Another process may have been quicker.
        if (isUnfinished || bytes > this.#bytesMax) await unlink(join(this.#directory, name)).catch(() => undefined);
      }
    });
  }

  /** What people should know, a line each. */
  notes(): string[] {
    const place = this.#directory;
    return [
      ...(this.#found === 0 ? [] : [`${this.#found} plans were kept in ${place} and not made again (see --no-cache)`]),
      ...(this.#damaged === 0 ? [] : [`${this.#damaged} plans kept in ${place} could not be read and were made again`]),
      ...(this.#trouble === null ? [] : [`plans are not kept in ${place}: ${this.#trouble}`]),
    ];
  }

  /** What is ours, the one used last first. */
  async #files(): Promise<{ readonly name: string; readonly size: number; readonly usedMs: number }[]> {
    const names = (await readdir(this.#directory)).filter((name) => NAME.test(name.slice(0, 64)));
    const files = await Promise.all(
      names.map(async (name) => {
        const facts = await stat(join(this.#directory, name)).catch(() => null);
        return facts?.isFile() === true ? [{ name, size: facts.size, usedMs: facts.mtimeMs }] : [];
      }),
    );
    return files.flat().sort((one, other) => other.usedMs - one.usedMs);
  }

  async #tried(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#trouble ??= errorCode(error) ?? errorMessage(error);
    }
  }
}

/** Null when there is none; never follows a link, and never waits for what is no file. */
async function bytesOf(path: string): Promise<Buffer | 'damaged' | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = await handle.stat();
      return facts.isFile() && facts.size <= ENTRY_BYTES_MAX ? await handle.readFile() : 'damaged';
    } finally {
      await handle.close();
    }
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '') ? null : 'damaged';
  }
}

function outlineIn(key: string, bytes: Buffer): PlanOutline | null {
  const packed = bytes.subarray(DIGEST_BYTES);
  if (!digestOf(key, packed).equals(bytes.subarray(0, DIGEST_BYTES))) return null;
  try {
    return outlineFrom(JSON.parse(inflateRawSync(packed, { maxOutputLength: TEXT_BYTES_MAX }).toString('utf8')));
  } catch {
    // Somebody wrote what has the right digest and is no outline.
    return null;
  }
}

function digestOf(key: string, packed: Buffer): Buffer {
  return createHash('sha256').update(key).update('\n').update(packed).digest();
}
