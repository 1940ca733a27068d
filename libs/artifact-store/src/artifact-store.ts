import type { Readable } from 'node:stream';
import type { AttemptRef, Checkpoint, Digest } from '@delta-ci/contracts';
import type { LogOutline } from './logs/log-outline.ts';

/** What was stored: the digest it can be found by, and its size. */
export interface StoredContent {
  digest: Digest;
  sizeBytes: number;
}

export interface PutOptions {
  /** Names the content. Any other is refused. */
  expected: Digest;
  /** Refuse content over this size; checked while it streams. */
  sizeBytesMax: number;
}

/**
 * Objects found by the SHA-256 of their bytes.
 *
 * **Lifecycle.** An object is written once, whole or not at all, and never changes; `remove` ends it. Whether anybody still
 * needs it is for the caller to know: the store knows no references.
 *
 * **Atomicity.** Until a `put` has answered, readers find nothing; afterwards all of it. A `put` that failed, or whose process
 * died, leaves at most an upload that `removeAbandoned` finds.
 *
 * **Concurrency.** Any number of processes may do anything at once. Writers of the same bytes all succeed, and one object
 * stands. A reader under way when the object is removed gets the rest of it or an error, never other bytes.
 *
 * **Errors.** What is refused is a `StoreError` with one of the system's codes. A store that cannot be reached, is full or
 * denies access throws whatever it has to say (`StoreUnreachable`, or the filesystem's error): trying again may help.
 * Memory is bounded by a few parts of some megabytes, however large the object.
 */
export interface ContentStore {
  /** How bytes travel past us; null where nobody but us serves the store. */
  readonly direct: DirectTransfers | null;

  /**
   * Stores the bytes of `source`; harmless to repeat.
   * @throws StoreError `payload_too_large` over `sizeBytesMax`, `digest_mismatch` when the bytes are not `expected`
   */
  put(source: Readable | Uint8Array, options: PutOptions): Promise<StoredContent>;

  /** The object's size in bytes, or null when there is none. */
  size(digest: Digest): Promise<number | null>;

  /**
   * The object's bytes as a stream, or null when there is none. They are checked while they pass, and the last of them
   * passes only when all were right: a reader gets the object whole, or an error (`digest_mismatch`) before its end.
   */
  open(digest: Digest): Promise<{ sizeBytes: number; stream: Readable } | null>;

  /**
   * The object's bytes, verified against the digest.
   * @throws StoreError `not_found`, `payload_too_large` over `sizeBytesMax`, `digest_mismatch` when the store lies
   */
  read(digest: Digest, sizeBytesMax: number): Promise<Uint8Array>;

  /** Removes objects, as far as there are any. Only for content that nobody refers to any more: readers get `not_found`. */
  remove(digests: readonly Digest[]): Promise<void>;

  /** The objects that stand since before a time, in portions of at most a thousand; each is of use while it stands. */
  storedBefore(beforeMs: number): AsyncIterable<readonly Digest[]>;

  /** Removes uploads that nobody has written to for `idleMs`: whoever began them is gone. Answers how many. */
  removeAbandoned(nowMs: number, idleMs: number): Promise<number>;
}

/** What somebody has in a store of chunks. */
export type OwnedContent = Pick<ContentStore, 'direct' | 'put' | 'size' | 'open' | 'read' | 'remove'>;

/**
 * Chunks of caches, each of which belongs to somebody. What one owner has is nothing to another: neither does he learn that it is
 * there, nor can he refer to it; whoever wants the same bytes brings them, and has an object of his own.
 *
 * Whoever removes what is not needed any more asks by digest alone, whoever has it. What holds of a `ContentStore` holds here.
 */
export interface CacheStore extends Pick<ContentStore, 'removeAbandoned'> {
  /** @param owner any text */
  of(owner: string): OwnedContent;

  /** The chunks of which all who have them have had them since before a time, in portions of at most a thousand. */
  storedBefore(beforeMs: number): AsyncIterable<readonly Digest[]>;

  /** Removes chunks from all who have them. */
  remove(digests: readonly Digest[]): Promise<void>;
}

/** The object that somebody may send, and whose upload it is: two of the same object do not get in each other's way. */
export interface UploadScope {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Of letters, digits and `-`. */
  readonly sender: string;
}

/**
 * One request that sends the object's bytes from `fromByte` up to `toByte`, with exactly these headers. It buys nothing else:
 * no other object, no other length, no other method, and nothing once its time is over.
 */
export interface GrantedRequest {
  readonly method: 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fromByte: number;
  readonly toByte: number;
}

export interface GrantedUpload {
  /** Names an upload in parts when it is finished; null when one request sends all. */
  readonly uploadId: string | null;
  readonly requests: readonly GrantedRequest[];
}

/**
 * Transfers between a stranger and the server that holds the objects, by signed addresses. What was sent is an object of the
 * store only once it is confirmed to have the digest: an upload in parts lies aside until `finishUpload` has read it.
 */
export interface DirectTransfers {
  grantUpload(scope: UploadScope, validMs: number): Promise<GrantedUpload>;

  /**
   * Ends an upload; harmless to repeat, also when the object stood before.
   * @throws StoreError `not_found` when it was not sent whole, `digest_mismatch` when other bytes were sent: they are removed
   */
  finishUpload(scope: UploadScope, uploadId: string | null): Promise<void>;

  /**
   * An address that gives the object for a while, as an answer with this `content-disposition` and as nothing a browser shows.
   * Null when there is no such object.
   */
  grantDownload(digest: Digest, disposition: string, validMs: number): Promise<string | null>;
}

/**
 * Checkpoints beside the artifacts, one immutable object each, by position. They say what the log was to whoever finds the
 * log shorter or different. Two that differ at one position both stay: that is what nobody should be able to hide.
 */
export interface CheckpointStore {
  /** Whole or not at all; a repeat is harmless. */
  put(checkpoint: Checkpoint): Promise<void>;

  /**
   * Those after a position, in order, at most `limit`, and then the others of the last position.
   * @throws StoreError `digest_mismatch` for one that is no checkpoint, or not the one its name says
   */
  list(afterPosition: number, limit: number): Promise<Checkpoint[]>;
}

/**
 * Logs of attempts, which grow: bytes are written by offset. Whoever writes says where a chunk belongs; bytes that are there
 * already are skipped, so a repeated chunk is harmless, also when several processes write it at once.
 *
 * When its attempt is over, a log is archived: compressed, and final. Readers see the same bytes at the same offsets, before,
 * after and meanwhile. A process that dies while it archives leaves the log as it was, and archiving it again is harmless.
 */
export interface LogStore {
  /**
   * Writes `chunk` at `offset` and answers where the log continues. What is written beyond the limit of a log is dropped and
   * counted as taken.
   * @throws StoreError `offset_mismatch` when `offset` is past the end; `details.nextOffset` is where to go on.
   * `stale_lease` when the log is archived and has no such bytes
   */
  append(attempt: AttemptRef, offset: number, chunk: Uint8Array): Promise<{ nextOffset: number }>;

  /** Bytes written so far; 0 when there is no log yet. */
  size(attempt: AttemptRef): Promise<number>;

  /**
   * Up to `lengthMax` bytes from `offset`; empty at the end. Of an archived log only what holds these bytes is decompressed.
   * @throws StoreError `digest_mismatch` when an archived log was damaged
   */
  read(attempt: AttemptRef, offset: number, lengthMax: number): Promise<Uint8Array>;

  /** Where the lines are that are there by now. A log that grows is read for it, a block at a time; an archived one knows. */
  outline(attempt: AttemptRef): Promise<LogOutline>;

  /** Archives the log of an attempt that is over. False when there is none that is not archived already. */
  archive(attempt: AttemptRef): Promise<boolean>;

  /** Logs that are not archived and that nobody has written to since `beforeMs`. */
  idleSince(beforeMs: number): AsyncIterable<AttemptRef>;

  /** Removes logs that nobody has written to for `keptMs`; reading one of them gives nothing from then on. Answers how many. */
  removeOlderThan(nowMs: number, keptMs: number): Promise<number>;
}

/**
 * The one door to the bytes that are too large for the log. All of it is on a filesystem or in an S3 bucket, but for the logs
 * of attempts under way: they grow, and are files in either case.
 */
export interface ArtifactStore {
  /** What the system keeps for itself: plans, what they were made of, recipes. */
  readonly content: ContentStore;
  /** What jobs left. Kept apart: whatever a job stores or its artifacts' time removes, none of it is the system's own. */
  readonly artifacts: ContentStore;
  /** Chunks of caches: what jobs made and can make again. */
  readonly caches: CacheStore;
  readonly logs: LogStore;
  readonly checkpoints: CheckpointStore;

  /** Readiness: what is there can be reached. @throws what the store has to say otherwise */
  check(): Promise<void>;
}
