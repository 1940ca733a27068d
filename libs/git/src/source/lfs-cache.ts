import { copyFile } from 'node:fs/promises';
import { KeptFiles } from './kept-files.ts';
import type { LfsPointer } from './lfs-pointer.ts';
import { contentOfFile, verifiedCopy } from './verified-copy.ts';

/**
 * Objects of Git LFS by their digests, bounded in bytes. Whoever takes from it asked the server first whether the repository may
 * have the object, and what is taken is verified again. Several processes may share a directory.
 */
export class LfsCache {
  readonly #files: KeptFiles;

  constructor(dir: string, maxBytes: number) {
    this.#files = new KeptFiles(dir, { maxBytes });
  }

  /** Puts an object at `file`, where nothing may be. False when it is not here. */
  async take(pointer: LfsPointer, file: string): Promise<boolean> {
    try {
      const whole = await verifiedCopy(contentOfFile(this.#files.pathOf(pointer.oid)), file, pointer);
      if (whole) await this.#files.noteUse(pointer.oid);
      else await this.#files.drop(pointer.oid);
      return whole;
    } catch {
      return false;
    }
  }

  /** Keeps a verified object. Whatever goes wrong, it is only not kept. */
  async keep({ oid, sizeBytes }: LfsPointer, file: string): Promise<void> {
    await this.#files.keep(oid, sizeBytes, async (arriving) => copyFile(file, arriving));
  }

  /** Removes what is over the bound, and what processes left that are gone. */
  async sweep(nowMs: number): Promise<void> {
    await this.#files.sweep(nowMs);
  }
}
