import { z } from 'zod';
import { AttemptNumber, Digest, EpochMs, JobKey, RepositoryId, RunId } from './ids.ts';

/** As much of a cache's archive as one chunk holds: a few of them at once fill a line and little memory. */
export const CACHE_CHUNK_CONTENT_BYTES_MAX = 16 * 1024 * 1024;
/** The same compressed, when it cannot be: zstd adds less than half a percent to what has no pattern. */
export const CACHE_CHUNK_BYTES_MAX = CACHE_CHUNK_CONTENT_BYTES_MAX + 128 * 1024;
/** Four gibibytes of archive: more than that takes longer to bring than to make again. */
export const CACHE_CHUNKS_MAX = 256;
/** As many caches as one job may have. */
export const CACHES_PER_JOB_MAX = 20;
/** Caches of one record of what was removed; keeps the record far below what one may be. */
export const REMOVED_CACHES_AT_ONCE_MAX = 100;

export const CacheKey = z.string().min(1).max(500);
export type CacheKey = z.infer<typeof CacheKey>;

/** The domain of what a repository's default branch leaves. */
export const TRUSTED_DOMAIN = 'trusted';

/**
 * Whose word a cache is: `trusted` for what the repository's default branch left, `ref:` and a full ref for what another ref of
 * trusted people left. Nobody reads the domain of another ref.
 */
export const TrustDomain = z
  .string()
  .max(1_010)
  .regex(/^(?:trusted|ref:.+)$/su, 'expected trusted, or ref: and a full ref');
export type TrustDomain = z.infer<typeof TrustDomain>;

/** A piece of a cache's archive, compressed by itself, and found by the SHA-256 of its compressed bytes. */
export const CacheChunk = z.strictObject({
  digest: Digest,
  sizeBytes: z.number().int().min(1).max(CACHE_CHUNK_BYTES_MAX),
  /** What it has once it is decompressed. */
  contentBytes: z.number().int().min(1).max(CACHE_CHUNK_CONTENT_BYTES_MAX),
});
export type CacheChunk = z.infer<typeof CacheChunk>;

/** Archives of what a cache keeps, one for each place its paths begin at: the job's home, and its workspace. */
export const CacheContent = z
  .strictObject({ home: z.array(CacheChunk), workspace: z.array(CacheChunk) })
  .refine(({ home, workspace }) => home.length + workspace.length >= 1, 'a cache has at least one chunk')
  .refine(
    ({ home, workspace }) => home.length + workspace.length <= CACHE_CHUNKS_MAX,
    `a cache has at most ${CACHE_CHUNKS_MAX} chunks`,
  );
export type CacheContent = z.infer<typeof CacheContent>;

/** A cache as it is recorded when it was saved: immutable, and found by repository, domain and key. */
export const CacheRecord = z.strictObject({
  key: CacheKey,
  /** Of the canonical JSON of `content`: it names everything that is restored. */
  digest: Digest,
  /** As it lies in the store, all chunks together. */
  sizeBytes: z.number().int().positive(),
  /** As it is unpacked from, all chunks together. */
  contentBytes: z.number().int().positive(),
  content: CacheContent,
});
export type CacheRecord = z.infer<typeof CacheRecord>;

/** Which saved cache: the attempt that saved it, and its key. */
export const CacheName = z.strictObject({ runId: RunId, jobKey: JobKey, attempt: AttemptNumber, key: CacheKey });
export type CacheName = z.infer<typeof CacheName>;

/** A saved cache in short. */
export const SavedCache = CacheName.extend({
  repository: RepositoryId,
  domain: TrustDomain,
  digest: Digest,
  sizeBytes: z.number().int().positive(),
  contentBytes: z.number().int().positive(),
  savedAtMs: EpochMs,
});
export type SavedCache = z.infer<typeof SavedCache>;

/**
 * Why caches are removed: `age`, it was saved too long ago; `size`, its repository has more than it may keep; `damaged`, what the
 * store gave was not what was saved, or could not be unpacked; `operator`, somebody wanted it.
 */
export const CacheRemovalCause = z.enum(['age', 'size', 'damaged', 'operator']);
export type CacheRemovalCause = z.infer<typeof CacheRemovalCause>;

export const CacheRemoval = z.strictObject({
  because: CacheRemovalCause,
  reason: z.string().max(500),
  caches: z.array(SavedCache).min(1).max(REMOVED_CACHES_AT_ONCE_MAX),
});
export type CacheRemoval = z.infer<typeof CacheRemoval>;

/** What a cache cost on its way, and whose it is. */
const CacheTransfer = z.strictObject({
  domain: TrustDomain,
  sizeBytes: z.number().int().nonnegative(),
  contentBytes: z.number().int().nonnegative(),
  tookMs: z.number().nonnegative(),
});

/** Characters of what went wrong with a cache. */
export const CACHE_MESSAGE_CHARS_MAX = 1_000;

/** Why a cache was of no use, though it might have been. It never decides about the job. */
export const CacheProblem = z.strictObject({
  during: z.enum(['restore', 'save']),
  code: z.enum([
    /** The store, or the gateway before it, could not do it. */
    'store_unavailable',
    /** What came is not what was saved, or no whole archive: of no use to anybody. */
    'damaged',
    'too_large',
    'timed_out',
    /** It could not be packed or unpacked in this job's sandbox, or its host had no room; another job may do better. */
    'sandbox_failed',
    /** A secret of the job is in it. */
    'secret',
    /** There is nothing at its paths. */
    'nothing_there',
    'refused',
  ]),
  message: z.string().max(CACHE_MESSAGE_CHARS_MAX),
});
export type CacheProblem = z.infer<typeof CacheProblem>;

/** What became of one cache of an attempt. */
export const CacheResult = z.strictObject({
  key: z.string().max(500),
  hit: z.boolean(),
  /** Present for a hit, from runners that tell. */
  restored: CacheTransfer.optional(),
  /** Present when it was not there, and is now. */
  saved: CacheTransfer.optional(),
  problems: z.array(CacheProblem).min(1).max(2).optional(),
});
export type CacheResult = z.infer<typeof CacheResult>;
