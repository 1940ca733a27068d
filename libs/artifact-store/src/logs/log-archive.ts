import type { AttemptRef } from '@delta-ci/contracts';

/** A compressed log that is ready to be kept. */
export interface CompressedFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** When the log was last written to, in ms since the epoch. */
  readonly writtenAtMs: number;
}

/**
 * Where compressed logs are kept: in a directory or in a bucket. Each is written once and never changes.
 *
 * **Atomicity.** Until `put` has answered, readers find nothing; afterwards all of it, also on a host that lost its power.
 *
 * **Concurrency.** Any number of processes may put the same log at once: they put the same bytes, and one of them stands.
 */
export interface LogArchive {
  put(attempt: AttemptRef, file: CompressedFile): Promise<void>;

  /** The last bytes, at most `lengthMax`, and the size of all of it; null when there is no such log. */
  readEnd(attempt: AttemptRef, lengthMax: number): Promise<{ bytes: Uint8Array; sizeBytes: number } | null>;

  /** Bytes `[from, to)`, which have to be there; null when there is no such log any more. */
  read(attempt: AttemptRef, from: number, to: number): Promise<Uint8Array | null>;

  /** Removes logs that were last written to, or put here, before `beforeMs`. Answers how many. */
  removeBefore(beforeMs: number): Promise<number>;
}
