import { attemptName, type AttemptRef } from '@delta-ci/contracts';
import { StoreError } from '../store-error.ts';
import { readLog } from './compressed-log.ts';
import { decodeIndex, indexBytesFor, type FrameIndex } from './frame-index.ts';
import type { LogArchive } from './log-archive.ts';

/** Indexes are some 20 KB for the largest log, and never change. */
const INDEXES_KEPT = 64;

/** Reads the logs of an archive. */
export class ArchivedLogs {
  readonly #archive: LogArchive;
  readonly #endBytes: number;
  /** Of the logs that were read last. */
  readonly #indexes = new Map<string, FrameIndex>();

  /** @param bytesMax size of the largest log there may be */
  constructor(archive: LogArchive, bytesMax: number) {
    this.#archive = archive;
    this.#endBytes = indexBytesFor(bytesMax);
  }

  /**
   * What is known of an archived log; null when there is none.
   * @throws StoreError `digest_mismatch` when it was damaged
   */
  async index(attempt: AttemptRef): Promise<FrameIndex | null> {
    const name = attemptName(attempt);
    const known = this.#indexes.get(name) ?? (await this.#find(attempt));
    this.#indexes.delete(name);
    if (known === null) return null;
    this.#indexes.set(name, known);
    const [oldest] = this.#indexes.keys();
    if (this.#indexes.size > INDEXES_KEPT && oldest !== undefined) this.#indexes.delete(oldest);
    return known;
  }

  /** Bytes `[from, to)`, as far as the log goes; null when there is no such log, or none any more. */
  async read(attempt: AttemptRef, from: number, to: number): Promise<Uint8Array | null> {
    const index = await this.index(attempt);
    if (index === null) return null;
    const bytes = await readLog(index, async (start, end) => this.#archive.read(attempt, start, end), from, to);
    if (bytes === null) this.#indexes.delete(attemptName(attempt));
    return bytes;
  }

  /** Looks again, because logs were removed. */
  forget(): void {
    this.#indexes.clear();
  }

  async #find(attempt: AttemptRef): Promise<FrameIndex | null> {
    const end = await this.#archive.readEnd(attempt, this.#endBytes);
    if (end === null) return null;
    const index = decodeIndex(end.bytes, end.sizeBytes);
    if (index === null) throw new StoreError('digest_mismatch', `the log ${attemptName(attempt)} has no right index`);
    return index;
  }
}
