import type {
  CacheChunk,
  CacheProblem,
  FindCacheAnswer,
  OfferedChunk,
  SaveCacheAnswer,
  SaveCacheRequest,
} from '@delta-ci/contracts';

/**
 * Where caches are kept, as one job sees it: what it may be given, and where its own go, is decided there. What a call fails with
 * ends with the cache, never with the job: `CacheFailed` has a name of its own, anything else means that the store was out of reach.
 */
export interface CacheStore {
  /** What is kept under a key for this job, and whether it may save. */
  find(key: string, signal: AbortSignal): Promise<FindCacheAnswer>;

  /** A chunk's compressed bytes; who asked judges them by their digest. */
  download(key: string, chunk: OfferedChunk, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Brings a chunk of what is about to be kept under a key to the store, unless it stands there. A store may refuse what it would
   * not keep before it has all of it.
   */
  upload(key: string, chunk: CacheChunk, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void>;

  /** Ends a cache that cannot be unpacked, to make room for another; one that is kept instead of it by now stays. */
  giveUp(cache: SaveCacheRequest, signal: AbortSignal): Promise<void>;

  /** Records a cache whose chunks stand; null when another job was quicker: the first one stays. */
  save(cache: SaveCacheRequest, signal: AbortSignal): Promise<SaveCacheAnswer | null>;
}

/** What went wrong with a cache, by name. */
export class CacheFailed extends Error {
  readonly code: CacheProblem['code'];

  constructor(code: CacheProblem['code'], message: string) {
    super(message);
    this.name = 'CacheFailed';
    this.code = code;
  }
}
