import { link, mkdir, open, utimes, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AttemptRef } from '@delta-ci/contracts';
import { nullWhenMissing } from '../null-when-missing.ts';
import { removeFilesBefore } from '../remove-files-before.ts';
import type { CompressedFile, LogArchive } from './log-archive.ts';

/** Compressed logs in a directory, on the filesystem on which they were compressed. */
export class LogArchiveFiles implements LogArchive {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = join(directory, 'logs-archive');
  }

  async put(attempt: AttemptRef, { path, writtenAtMs }: CompressedFile): Promise<void> {
    const target = this.#path(attempt);
    await mkdir(dirname(target), { recursive: true });
    // Its time is the log's: how long it is kept does not depend on when it was compressed.
    await utimes(path, writtenAtMs / 1_000, writtenAtMs / 1_000);
    await flush(path);
    await link(path, target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await flush(dirname(target));
  }

  async readEnd(attempt: AttemptRef, lengthMax: number): Promise<{ bytes: Uint8Array; sizeBytes: number } | null> {
    return this.#with(attempt, async (file) => {
      const { size: sizeBytes } = await file.stat();
      return { bytes: await bytesIn(file, Math.max(0, sizeBytes - lengthMax), sizeBytes), sizeBytes };
    });
  }

  async read(attempt: AttemptRef, from: number, to: number): Promise<Uint8Array | null> {
    return this.#with(attempt, async (file) => bytesIn(file, from, to));
  }

  async removeBefore(beforeMs: number): Promise<number> {
    return removeFilesBefore(this.#directory, beforeMs);
  }

  async #with<T>(attempt: AttemptRef, look: (file: FileHandle) => Promise<T>): Promise<T | null> {
    const file = await open(this.#path(attempt), 'r').catch(nullWhenMissing);
    if (file === null) return null;
    try {
      return await look(file);
    } finally {
      await file.close();
    }
  }

  #path({ runId, jobKey, attempt }: AttemptRef): string {
    return join(this.#directory, runId, jobKey, `${attempt}.log.zst`);
  }
}

async function bytesIn(file: FileHandle, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}

/** A file's bytes, or a directory's names, survive a loss of power. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
