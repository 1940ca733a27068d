import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** What is not kept yet, or never: files that arrive, and locks. */
const PASSING = '.';

/** A file that is still arriving after this, or a lock, belongs to a process that is gone. */
const PASSING_MS_MAX = 60 * 60_000;

/** How much of them is kept, for how long. */
export interface KeptFilesBounds {
  readonly maxBytes: number;
  /** Whatever was not used for longer goes, too; left out, bytes alone decide. */
  readonly unusedMsMax?: number;
}

/**
 * Files under names that say what is in them, so that nothing is ever written over; those not used for longest go first. They save
 * transfers and nothing more: whoever takes one verifies it. Several processes may share a directory.
 */
export class KeptFiles {
  readonly #dir: string;
  readonly #bounds: KeptFilesBounds;

  /** @param dir made, for its owner alone, when there is something to keep */
  constructor(dir: string, bounds: KeptFilesBounds) {
    this.#dir = dir;
    this.#bounds = bounds;
  }

  async makeDirectory(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
  }

  /** Where a file of this name is, if it is. A name has no slash, and does not begin with a dot. */
  pathOf(name: string): string {
    return join(this.#dir, name);
  }

  /** Where a lock on this name may lie. */
  lockOf(name: string): string {
    return join(this.#dir, `${PASSING}${name}.lock`);
  }

  /**
   * Keeps a file that is `bytes` long, as `put` puts it where it is told. Whatever goes wrong, it is only not kept.
   * @param put where nothing lies
   */
  async keep(name: string, bytes: number, put: (arriving: string) => Promise<void>): Promise<void> {
    if (bytes > this.#bounds.maxBytes) return;
    const arriving = join(this.#dir, `${PASSING}${name}-${randomUUID()}`);
    try {
      await this.makeDirectory();
      await put(arriving);
      await rename(arriving, this.pathOf(name));
    } catch {
      await rm(arriving, { force: true }).catch(() => undefined);
    }
  }

  /** Notes that a file was of use. */
  async noteUse(name: string): Promise<void> {
    const now = new Date();
    await utimes(this.pathOf(name), now, now);
  }

  async drop(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
  }

  /** Removes what is over the bounds, and what processes left that are gone. */
  async sweep(nowMs: number): Promise<void> {
    const { maxBytes, unusedMsMax = Infinity } = this.#bounds;
    const found: { path: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#dir).catch(() => [])) {
      const path = join(this.#dir, name);
      const facts = await stat(path).catch(() => null);
      if (facts === null) continue;
      if (!name.startsWith(PASSING)) found.push({ path, bytes: facts.size, usedMs: facts.mtimeMs });
      else if (nowMs - facts.mtimeMs > PASSING_MS_MAX) await rm(path, { force: true });
    }
    let bytes = found.reduce((sum, each) => sum + each.bytes, 0);
    for (const each of found.sort((one, other) => one.usedMs - other.usedMs)) {
      if (bytes <= maxBytes && nowMs - each.usedMs <= unusedMsMax) return;
      await rm(each.path, { force: true });
      bytes -= each.bytes;
    }
  }
}
