import { z } from 'zod';

/**
 * Identifiers. A run's id is chosen by whoever asks for the run; everything below it is derived, so that deciders
 * need no randomness: a job is `(run, key)`, an attempt is `(run, job, number)`, and its lease's fence is that number.
 */

/** `run_` and the 32 hexadecimal digits of a UUID version 7: sorts by creation time. */
export const RunId = z.string().regex(/^run_[0-9a-f]{32}$/, 'expected run_ followed by 32 hexadecimal digits');
export type RunId = z.infer<typeof RunId>;

/** A job's name inside its plan: safe in URLs, file names and subjects. */
export const JobKey = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, 'expected up to 100 lower-case letters, digits, "-" or "_"');
export type JobKey = z.infer<typeof JobKey>;

export const RunnerId = z.string().regex(/^rnr_[0-9a-f]{32}$/, 'expected rnr_ followed by 32 hexadecimal digits');
export type RunnerId = z.infer<typeof RunnerId>;

/** A pool's name is a token of a bus subject: no dots, no wildcards. */
export const PoolName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected lower-case letters, digits, "-" or "_"');
export type PoolName = z.infer<typeof PoolName>;

/** UUID (version 7 when made by us). Ids of events, commands and reports. */
export const MessageId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9._:-]+$/);
export type MessageId = z.infer<typeof MessageId>;

/** The 256-bit capability of one lease, in hexadecimal. Never stored or logged in clear; see `LeaseHash`. */
export const LeaseId = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
export type LeaseId = z.infer<typeof LeaseId>;

/** SHA-256 of the lease id's text, in hexadecimal: what the log and the tables hold instead of it. */
export const LeaseHash = z.string().regex(/^[0-9a-f]{64}$/);
export type LeaseHash = z.infer<typeof LeaseHash>;

/** `sha256:` and 64 hexadecimal digits. */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: followed by 64 hexadecimal digits');
export type Digest = z.infer<typeof Digest>;

/** A full git object id: SHA-1 or SHA-256. */
export const CommitId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'expected a full commit id');
export type CommitId = z.infer<typeof CommitId>;

/** What an installation's settings call one of its forges: the first part of the ids of its repositories. */
export const ForgeName = z.string().regex(/^[a-z0-9-]{1,50}$/, 'expected lower-case letters, digits or "-"');
export type ForgeName = z.infer<typeof ForgeName>;

/** `forge/owner/name` for a repository on a forge, at most 300 characters, e.g. `github/octo/widgets`. */
export const RepositoryId = z
  .string()
  .max(300)
  .regex(/^[a-z0-9-]+(?:\/[A-Za-z0-9._-]+){2,6}$/, 'expected forge/owner/name')
  .refine((id) => !id.split('/').some((part) => part === '.' || part === '..'), 'must not contain . or .. parts');
export type RepositoryId = z.infer<typeof RepositoryId>;

/** W3C trace context header value: carries one trace from webhook to publication. */
export const Traceparent = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
export type Traceparent = z.infer<typeof Traceparent>;

/** Milliseconds since the Unix epoch, by the database's clock unless a name says otherwise. */
export const EpochMs = z.number().int().nonnegative();
export type EpochMs = z.infer<typeof EpochMs>;

/** Attempt numbers start at 1. The fence of an attempt's lease is the same number, so it grows with every lease of a job. */
export const AttemptNumber = z.number().int().min(1).max(1_000);
export type AttemptNumber = z.infer<typeof AttemptNumber>;

/** Names one attempt everywhere outside the run's own stream. */
export const AttemptRef = z.strictObject({ runId: RunId, jobKey: JobKey, attempt: AttemptNumber });
export type AttemptRef = z.infer<typeof AttemptRef>;

/** `run_x.unit-test.2`: the attempt as one token, for message ids, log lines and file names. */
export function attemptName(ref: AttemptRef): string {
  return `${ref.runId}.${ref.jobKey}.${ref.attempt}`;
}
