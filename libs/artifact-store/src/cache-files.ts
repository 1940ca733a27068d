import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@delta-ci/contracts';
import type { CacheStore } from './artifact-store.ts';
import { ContentFiles } from './content-files.ts';
import { nullWhenMissing } from './null-when-missing.ts';
import { objectsBefore } from './object-files.ts';
import { hexAt, suffixOf } from './object-names.ts';

const FOLDER = 'caches';

/** Chunks on a filesystem, one file for each who has one. */
export class CacheFiles implements CacheStore {
  readonly #directory: string;
  readonly #objects: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#objects = join(directory, FOLDER, 'sha256');
  }

  of(owner: string): ContentFiles {
    return new ContentFiles(this.#directory, FOLDER, suffixOf(owner));
  }

  storedBefore(beforeMs: number): AsyncGenerator<readonly Digest[]> {
    return objectsBefore(this.#objects, beforeMs);
  }

  async remove(digests: readonly Digest[]): Promise<void> {
    const hexes = new Set(digests.map((digest) => digest.slice('sha256:'.length)));
    for (const folder of new Set([...hexes].map((hex) => hex.slice(0, 2)))) {
      const names = (await readdir(join(this.#objects, folder)).catch(nullWhenMissing)) ?? [];
      for (const name of names) {
        if (hexes.has(hexAt(name) ?? '')) await rm(join(this.#objects, folder, name), { force: true });
      }
    }
  }

  async removeAbandoned(nowMs: number, idleMs: number): Promise<number> {
    return new ContentFiles(this.#directory, FOLDER).removeAbandoned(nowMs, idleMs);
  }
}
