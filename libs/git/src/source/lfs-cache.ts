import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { LfsPointer } from './lfs-pointer.ts';
import { contentOfFile, verifiedCopy } from './verified-copy.ts';

const ARRIVING = '.part';

/** A file that is still arriving after this belongs to a process that is gone. */
const ARRIVING_MS_MAX = 60 * 60_000;

/**
 * Objects of Git LFS by their digests, bounded in bytes; those not used for longest go first. It saves transfers and
 * nothing more: whoever takes from it asked the server first whether the repository may have the object, and what is
 * taken is verified again. Several processes may share a directory.
 */
export class LfsCache {
  readonly #dir: string;
  readonly #maxBytes: number;

  constructor(dir: string, maxBytes: number) {
    this.#dir = dir;
    this.#maxBytes = maxBytes;
  }

  /** Puts an object at `file`, where nothing may be. False when it is not here. */
  async take(pointer: LfsPointer, file: string): Promise<boolean> {
    const kept = join(this.#dir, pointer.oid);
    try {
      const whole = await verifiedCopy(contentOfFile(kept), file, pointer);
      if (whole) await utimes(kept, new Date(), new Date());
      else await rm(kept, { force: true });
      return whole;
    } catch {
      return false;
    }
  }

  /** Keeps a verified object. Whatever goes wrong, it is only not kept. */
  async keep({ oid, sizeBytes }: LfsPointer, file: string): Promise<void> {
    if (sizeBytes > this.#maxBytes) return;
    const arriving = join(this.#dir, `${oid}-${randomUUID()}${ARRIVING}`);
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 });
      await copyFile(file, arriving);
      await rename(arriving, join(this.#dir, oid));
    } catch {
      await rm(arriving, { force: true }).catch(() => undefined);
    }
  }

  /** Removes what is over the bound, and what processes left that are gone. */
  async sweep(nowMs: number): Promise<void> {
    const found: { path: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#dir).catch(() => [])) {
      const path = join(this.#dir, name);
      const facts = await stat(path).catch(() => null);
      if (facts === null) continue;
      if (!name.endsWith(ARRIVING)) found.push({ path, bytes: facts.size, usedMs: facts.mtimeMs });
      else if (nowMs - facts.mtimeMs > ARRIVING_MS_MAX) await rm(path, { force: true });
    }
    let bytes = found.reduce((sum, each) => sum + each.bytes, 0);
    for (const each of found.sort((one, other) => one.usedMs - other.usedMs)) {
      if (bytes <= this.#maxBytes) return;
      await rm(each.path, { force: true });
      bytes -= each.bytes;
    }
  }
}
