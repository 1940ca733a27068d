import { constants } from 'node:fs';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AttemptRef } from '@delta-ci/contracts';
import type { LogStore } from './artifact-store.ts';
import { nullWhenMissing } from './content-files.ts';
import { removeFilesBefore } from './remove-files-before.ts';
import { StoreError } from './store-error.ts';

/**
 * By position, not at the end: another process that was sent the same chunk writes the same bytes to the same place. No
 * link is followed: whoever may write into the directory does not choose other files of ours.
 */
const WRITE_IN_PLACE = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/** Logs of attempts as files, one each. */
export class AttemptLogs implements LogStore {
  readonly #directory: string;
  readonly #bytesMax: number;
  /** One append at a time per file: two requests for the same attempt must not interleave. */
  readonly #tails = new Map<string, Promise<unknown>>();

  /** @param bytesMax size of one log in bytes; what is written beyond it is dropped and counted as taken. */
  constructor(directory: string, bytesMax: number) {
    this.#directory = join(directory, 'logs');
    this.#bytesMax = bytesMax;
  }

  async append(attempt: AttemptRef, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }> {
    const path = this.#path(attempt);
    const previous = this.#tails.get(path) ?? Promise.resolve();
    const mine = previous.catch(() => undefined).then(async () => this.#write(path, offset, chunk));
    this.#tails.set(path, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(path) === mine) this.#tails.delete(path);
    }
  }

  async size(attempt: AttemptRef): Promise<number> {
    const found = await stat(this.#path(attempt)).catch(nullWhenMissing);
    return found === null ? 0 : found.size;
  }

  async read(attempt: AttemptRef, offset: number, lengthMax: number): Promise<Uint8Array> {
    const file = await open(this.#path(attempt), 'r').catch(nullWhenMissing);
    if (file === null) return new Uint8Array();
    try {
      const { size } = await file.stat();
      const length = Math.max(0, Math.min(lengthMax, size - offset));
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async removeOlderThan(nowMs: number, keptMs: number): Promise<number> {
    return removeFilesBefore(this.#directory, nowMs - keptMs);
  }

  async #write(path: string, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, WRITE_IN_PLACE, 0o640);
    try {
      const { size } = await file.stat();
      if (offset > size && size < this.#bytesMax) {
        throw new StoreError('offset_mismatch', `the log continues at ${size}, not at ${offset}`, { nextOffset: size });
      }
      const fresh = chunk.subarray(Math.max(0, size - offset));
      await writeAll(file, fresh.subarray(0, Math.max(0, this.#bytesMax - size)), size);
      return { nextOffset: Math.max(size, offset + chunk.byteLength) };
    } finally {
      await file.close();
    }
  }

  #path(attempt: AttemptRef): string {
    return join(this.#directory, attempt.runId, attempt.jobKey, `${attempt.attempt}.log`);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    written += (await file.write(bytes, written, bytes.byteLength - written, position + written)).bytesWritten;
  }
}
