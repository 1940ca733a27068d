import { z } from 'zod';
import { AttemptNumber, Digest, EpochMs, JobKey, RunId } from './ids.ts';
import { ArtifactRecord } from './outcome.ts';

/** Artifacts of one record of what expired; its own length keeps the record far below what one may be. */
export const EXPIRED_AT_ONCE_MAX = 100;

/** An artifact whose time is over: which one it was, what it was, and from when its days counted. */
export const ExpiredArtifact = z.strictObject({
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  ...ArtifactRecord.pick({ name: true, digest: true, sizeBytes: true, retentionDays: true }).shape,
  recordedAtMs: EpochMs,
});
export type ExpiredArtifact = z.infer<typeof ExpiredArtifact>;

/** Artifacts whose time is over together, and what of the store goes with them. */
export const ArtifactExpiry = z.strictObject({
  /** Why: each was kept for as many days as its job's configuration says. */
  policy: z.literal('retention-days'),
  artifacts: z.array(ExpiredArtifact).min(1).max(EXPIRED_AT_ONCE_MAX),
  /** What nobody referred to any more when this was written. It is looked again before the bytes go. */
  objects: z
    .array(z.strictObject({ digest: Digest, sizeBytes: z.number().int().nonnegative() }))
    .max(EXPIRED_AT_ONCE_MAX),
});
export type ArtifactExpiry = z.infer<typeof ArtifactExpiry>;
