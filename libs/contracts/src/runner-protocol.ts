import { z } from 'zod';
import { CacheChunk, CacheContent, CacheKey, TrustDomain } from './caches.ts';
import { AnnouncedArtifact } from './artifact-name.ts';
import { LeaseState } from './commands.ts';
import { AttemptNumber, CommitId, EpochMs, JobKey, LeaseId, PoolName, RunId, RunnerId, Traceparent } from './ids.ts';
import { TrustLevel } from './change.ts';
import { CompletionReport } from './outcome.ts';
import { PlannedJob } from './plan.ts';
import { RunnerCapabilities } from './runner-capabilities.ts';

/**
 * The runner protocol, HTTP under `/runner/v1`. Runners are strangers: unknown fields and values are refused, their
 * timestamps are recorded and never trusted. Authorisation: `Bearer <token>`, the registration token for
 * `POST /runners`, the runner's own token for everything else.
 */

export const RegisterRunnerRequest = z.strictObject({
  name: z.string().min(1).max(200),
  pool: PoolName,
  capabilities: RunnerCapabilities,
  version: z.string().min(1).max(100),
});
export type RegisterRunnerRequest = z.infer<typeof RegisterRunnerRequest>;

export const RegisterRunnerAnswer = z.strictObject({
  runnerId: RunnerId,
  token: z.string(),
  tokenExpiresAtMs: EpochMs,
});
export type RegisterRunnerAnswer = z.infer<typeof RegisterRunnerAnswer>;

/** `POST /token`: a fresh token for a runner whose token still holds. */
export const RenewTokenAnswer = RegisterRunnerAnswer;

/** `POST /leases`: waits for work. 204 when there was none within `waitSeconds`. */
export const LeaseRequest = z.strictObject({ waitSeconds: z.number().min(0).max(30) });
export type LeaseRequest = z.infer<typeof LeaseRequest>;

export const SourceAccess = z.strictObject({
  cloneUrl: z.string().max(2_000),
  ref: z.string().max(1_000),
  commit: CommitId,
  tree: CommitId,
  /**
   * Reads this repository and is sent to it alone, as the password of `x-access-token`. Never written where the job can read
   * it, never in a log; null when the source is open.
   */
  token: z.string().max(2_000).nullable(),
});
export type SourceAccess = z.infer<typeof SourceAccess>;

export const LeaseOffer = z.strictObject({
  leaseId: LeaseId,
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  fence: AttemptNumber,
  ttlMs: z.number().int().positive(),
  heartbeatMs: z.number().int().positive(),
  /** The lease must be acknowledged within this time or it is gone. */
  acceptanceMs: z.number().int().positive(),
  maxRuntimeMs: z.number().int().positive(),
  trust: TrustLevel,
  job: PlannedJob,
  source: SourceAccess,
  /** Values by name; empty for untrusted changes, always. */
  secrets: z.record(z.string(), z.string()),
  traceparent: Traceparent.nullable(),
});
export type LeaseOffer = z.infer<typeof LeaseOffer>;

export const AcknowledgeLeaseAnswer = z.strictObject({ state: LeaseState });
export type AcknowledgeLeaseAnswer = z.infer<typeof AcknowledgeLeaseAnswer>;

export const HeartbeatRequest = z.strictObject({
  phase: z.enum(['starting', 'running', 'uploading']),
  percent: z.number().min(0).max(100).nullable(),
  step: z.string().max(200).nullable(),
  message: z.string().max(500).nullable(),
  logCursor: z.number().int().nonnegative(),
});
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;

/** `POST /leases/{id}/log?offset=N` with an `application/octet-stream` body; answers where the log continues. */
export const LogAppendAnswer = z.strictObject({ nextOffset: z.number().int().nonnegative() });
export type LogAppendAnswer = z.infer<typeof LogAppendAnswer>;

/** `PUT /leases/{id}/artifacts?name=&type=&digest=&retention_days=` with the bytes as body. */
export const ArtifactUploadAnswer = z.strictObject({ digest: z.string(), sizeBytes: z.number().int().nonnegative() });
export type ArtifactUploadAnswer = z.infer<typeof ArtifactUploadAnswer>;

/** `POST /leases/{id}/uploads`: what is about to be sent, as it will be recorded. */
export const UploadRequest = AnnouncedArtifact;

/** One request of a granted upload: sends the bytes from `fromByte` up to `toByte` with exactly these headers, and no token. */
export const GrantedRequest = z.strictObject({
  method: z.literal('PUT'),
  url: z.string().max(8_000),
  headers: z.record(z.string(), z.string()),
  fromByte: z.number().int().nonnegative(),
  toByte: z.number().int().nonnegative(),
});
export type GrantedRequest = z.infer<typeof GrantedRequest>;

/** Requests that send one object to the artifact store, each of which buys nothing else and holds until `expiresAtMs`. */
export const UploadGrant = z.strictObject({
  /** Names an upload in parts when it is recorded; null when one request sends all. */
  uploadId: z.string().max(2_000).nullable(),
  requests: z.array(GrantedRequest).min(1).max(1_000),
  expiresAtMs: EpochMs,
});
export type UploadGrant = z.infer<typeof UploadGrant>;

/** `grant` is null where the store has no addresses of its own: the bytes go through `PUT /leases/{id}/artifacts`. */
export const GrantUploadAnswer = z.strictObject({ grant: UploadGrant.nullable() });
export type GrantUploadAnswer = z.infer<typeof GrantUploadAnswer>;

/** `POST /leases/{id}/artifacts`: a granted upload was sent, and is to be looked at and recorded. */
export const RecordUploadRequest = AnnouncedArtifact.extend({ uploadId: UploadGrant.shape.uploadId });
export type RecordUploadRequest = z.infer<typeof RecordUploadRequest>;

/** `POST /leases/{id}/caches/find`: what this run may restore under a key that its job's plan has. */
export const FindCacheRequest = z.strictObject({ key: CacheKey });
export type FindCacheRequest = z.infer<typeof FindCacheRequest>;

/** A chunk to fetch: from `url`, without a token, while that holds; null where it goes through the gateway. */
export const OfferedChunk = CacheChunk.extend({ url: z.string().max(8_000).nullable() });
export type OfferedChunk = z.infer<typeof OfferedChunk>;

export const FoundCache = z.strictObject({
  domain: TrustDomain,
  sizeBytes: z.number().int().positive(),
  contentBytes: z.number().int().positive(),
  content: z.strictObject({ home: z.array(OfferedChunk), workspace: z.array(OfferedChunk) }),
});
export type FoundCache = z.infer<typeof FoundCache>;

/** `cache` is null for a miss. `saves` is the domain in which this run may save; null: it reads only. */
export const FindCacheAnswer = z.strictObject({ cache: FoundCache.nullable(), saves: TrustDomain.nullable() });
export type FindCacheAnswer = z.infer<typeof FindCacheAnswer>;

/** `POST /leases/{id}/caches/chunks`: a chunk that is about to be sent. */
export const GrantChunkRequest = CacheChunk.pick({ digest: true, sizeBytes: true });
export type GrantChunkRequest = z.infer<typeof GrantChunkRequest>;

/** `stands`: nothing has to be sent. A null grant where nothing stands: it goes through `PUT /leases/{id}/caches/chunks`. */
export const GrantChunkAnswer = z.strictObject({ stands: z.boolean(), grant: UploadGrant.nullable() });
export type GrantChunkAnswer = z.infer<typeof GrantChunkAnswer>;

export const ChunkUploadAnswer = z.strictObject({});
export type ChunkUploadAnswer = z.infer<typeof ChunkUploadAnswer>;

/** `POST /leases/{id}/caches`: all chunks were sent, and make a cache. */
export const SaveCacheRequest = z.strictObject({ key: CacheKey, content: CacheContent });
export type SaveCacheRequest = z.infer<typeof SaveCacheRequest>;

/** `POST /leases/{id}/caches/give-up`: a cache that was found, and is what was saved, and cannot be unpacked. */
export const GiveUpCacheRequest = SaveCacheRequest;
export const GiveUpCacheAnswer = z.strictObject({});
export type GiveUpCacheAnswer = z.infer<typeof GiveUpCacheAnswer>;

export const SaveCacheAnswer = z.strictObject({ domain: TrustDomain });
export type SaveCacheAnswer = z.infer<typeof SaveCacheAnswer>;

export const CompleteRequest = CompletionReport;
export const CompleteAnswer = z.strictObject({ outcome: z.string() });
export type CompleteAnswer = z.infer<typeof CompleteAnswer>;

/** `POST /leases/{id}/cancel-ack`: the final state of a canceled attempt, with whatever artifacts there are. */
export const CancelAcknowledgeRequest = CompletionReport;

/** One chunk of log: large enough to be quick, small enough to hold many of in memory. */
export const LOG_CHUNK_BYTES_MAX = 1024 * 1024;
/** One attempt's log; after it a marker says where it was cut. */
export const LOG_BYTES_MAX = 64 * 1024 * 1024;
/** One file that a job leaves: whoever takes it holds it in memory once. */
export const ARTIFACT_FILE_BYTES_MAX = 256 * 1024 * 1024;
/** One artifact through the gateway. */
export const ARTIFACT_BYTES_MAX = 1024 * 1024 * 1024;
/** Any other runner request body. */
export const RUNNER_BODY_BYTES_MAX = 1024 * 1024;
