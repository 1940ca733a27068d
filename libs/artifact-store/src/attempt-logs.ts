import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AttemptRef } from '@delta-ci/contracts';
import type { LogStore } from './artifact-store.ts';
import { nullWhenMissing } from './null-when-missing.ts';
import { ArchivedLogs } from './logs/archived-logs.ts';
import { blocksOf, compressFile } from './logs/compress-file.ts';
import { outlineOf } from './logs/frame-index.ts';
import { growingLogPath, growingLogs } from './logs/growing-logs.ts';
import type { LogArchive } from './logs/log-archive.ts';
import { endsLine, lineFeedsIn, type LogOutline } from './logs/log-outline.ts';
import { removeFilesBefore } from './remove-files-before.ts';
import { StoreError } from './store-error.ts';

/**
 * By position, not at the end: another process that was sent the same chunk writes the same bytes to the same place. No
 * link is followed: whoever may write into the directory does not choose other files of ours.
 */
const WRITE_IN_PLACE = constants.O_WRONLY | constants.O_NOFOLLOW;
/** Compressing the largest log takes seconds: what is there after a day was left by a process that died. */
const COMPRESSING_MS_MAX = 24 * 60 * 60_000;

/**
 * Logs of attempts: a file each while they grow, compressed in an archive when the attempt is over. The file goes only when
 * the archive has the log, so a reader who looks for the file first and then in the archive finds one of them at any time.
 */
export class AttemptLogs implements LogStore {
  readonly #directory: string;
  readonly #compressing: string;
  readonly #bytesMax: number;
  readonly #archive: LogArchive;
  readonly #archived: ArchivedLogs;
  /** One change at a time per log: two requests for the same attempt must not interleave. */
  readonly #tails = new Map<string, Promise<unknown>>();

  /** @param bytesMax size of one log in bytes; what is written beyond it is dropped and counted as taken. */
  constructor(directory: string, bytesMax: number, archive: LogArchive) {
    this.#directory = join(directory, 'logs');
    this.#compressing = join(directory, 'logs-compressing');
    this.#bytesMax = bytesMax;
    this.#archive = archive;
    this.#archived = new ArchivedLogs(archive, bytesMax);
  }

  async append(attempt: AttemptRef, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }> {
    return this.#inTurn(attempt, async (path) => {
      const file = (await this.#growing(attempt, WRITE_IN_PLACE)) ?? (await this.#begin(attempt, path));
      if (file === null) return this.#repeat(attempt, offset, chunk);
      try {
        return await this.#write(file, offset, chunk);
      } finally {
        await file.close();
      }
    });
  }

  async size(attempt: AttemptRef): Promise<number> {
    const found = await stat(this.#path(attempt)).catch(nullWhenMissing);
    return found === null || found.size === 0 ? ((await this.#archived.index(attempt))?.sizeBytes ?? 0) : found.size;
  }

  async read(attempt: AttemptRef, offset: number, lengthMax: number): Promise<Uint8Array> {
    const file = await this.#growing(attempt, 'r');
    if (file === null) return (await this.#archived.read(attempt, offset, offset + lengthMax)) ?? new Uint8Array();
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

  async outline(attempt: AttemptRef): Promise<LogOutline> {
    const file = await this.#growing(attempt, 'r');
    if (file === null) {
      const index = await this.#archived.index(attempt);
      return index === null ? NOTHING : outlineOf(index);
    }
    try {
      return await outlineOfFile(file);
    } finally {
      await file.close();
    }
  }

  async archive(attempt: AttemptRef): Promise<boolean> {
    return this.#inTurn(attempt, async (path) => {
      const found = await stat(path).catch(nullWhenMissing);
      if (found === null) return false;
      if (found.size > 0 && (await this.#archived.index(attempt)) === null) await this.#compress(attempt, path);
      await rm(path, { force: true });
      return true;
    });
  }

  async *idleSince(beforeMs: number): AsyncGenerator<AttemptRef> {
    for await (const attempt of growingLogs(this.#directory)) {
      const found = await stat(this.#path(attempt)).catch(nullWhenMissing);
      if (found !== null && found.mtimeMs < beforeMs) yield attempt;
    }
  }

  async removeOlderThan(nowMs: number, keptMs: number): Promise<number> {
    await removeFilesBefore(this.#compressing, nowMs - COMPRESSING_MS_MAX);
    const growing = await removeFilesBefore(this.#directory, nowMs - keptMs);
    const archived = await this.#archive.removeBefore(nowMs - keptMs);
    this.#archived.forget();
    return growing + archived;
  }

  /**
   * The file of a log that grows. Null where there is none, and for an empty one of a log that is archived: whoever was about to
   * make it anew died before it could ask, or was not answered.
   */
  async #growing(attempt: AttemptRef, flags: string | number): Promise<FileHandle | null> {
    const file = await open(this.#path(attempt), flags).catch(nullWhenMissing);
    if (file === null) return null;
    try {
      if ((await file.stat()).size > 0 || (await this.#archived.index(attempt)) === null) return file;
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return null;
  }

  /** Makes the file of a log that has none. Null when the log is archived: then it has had its file. */
  async #begin(attempt: AttemptRef, path: string): Promise<FileHandle | null> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, WRITE_IN_PLACE | constants.O_CREAT, 0o640);
    try {
      // Asked only now: whoever archives a log removes its file last, so a file that is made anew is noticed.
      if ((await this.#archived.index(attempt)) === null) return file;
      await rm(path, { force: true });
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
    return null;
  }

  /** A chunk for a log that is archived: harmless when it is there already. */
  async #repeat(attempt: AttemptRef, offset: number, { byteLength }: Uint8Array): Promise<{ nextOffset: number }> {
    const size = (await this.#archived.index(attempt))?.sizeBytes ?? 0;
    const end = offset + byteLength;
    if (end > size && size < this.#bytesMax)
      throw new StoreError('stale_lease', 'the attempt is over, and its log too');
    return { nextOffset: Math.max(size, end) };
  }

  async #write(file: FileHandle, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }> {
    const { size } = await file.stat();
    if (offset > size && size < this.#bytesMax) {
      throw new StoreError('offset_mismatch', `the log continues at ${size}, not at ${offset}`, { nextOffset: size });
    }
    const fresh = chunk.subarray(Math.max(0, size - offset));
    await writeAll(file, fresh.subarray(0, Math.max(0, this.#bytesMax - size)), size);
    return { nextOffset: Math.max(size, offset + chunk.byteLength) };
  }

  async #compress(attempt: AttemptRef, path: string): Promise<void> {
    await mkdir(this.#compressing, { recursive: true });
    const target = join(this.#compressing, randomUUID());
    try {
      await this.#archive.put(attempt, await compressFile(path, target));
    } finally {
      await rm(target, { force: true });
    }
  }

  async #inTurn<T>(attempt: AttemptRef, change: (path: string) => Promise<T>): Promise<T> {
    const path = this.#path(attempt);
    const previous = this.#tails.get(path) ?? Promise.resolve();
    const mine = previous.catch(() => undefined).then(async () => change(path));
    this.#tails.set(path, mine);
    try {
      return await mine;
    } finally {
      if (this.#tails.get(path) === mine) this.#tails.delete(path);
    }
  }

  #path(attempt: AttemptRef): string {
    return growingLogPath(this.#directory, attempt);
  }
}

const NOTHING: LogOutline = { sizeBytes: 0, lineFeeds: [], endsWithLineFeed: false, isFinal: false };

async function outlineOfFile(file: FileHandle): Promise<LogOutline> {
  let [sizeBytes, endsWithLineFeed] = [0, false];
  const lineFeeds: number[] = [];
  for await (const block of blocksOf(file)) {
    lineFeeds.push(lineFeedsIn(block));
    sizeBytes += block.byteLength;
    endsWithLineFeed = endsLine(block);
  }
  return { sizeBytes, lineFeeds, endsWithLineFeed, isFinal: false };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    written += (await file.write(bytes, written, bytes.byteLength - written, position + written)).bytesWritten;
  }
}
