import { z } from 'zod';
import { Checkpoint } from './checkpoint.ts';
import { RunId } from './ids.ts';

/** Public API under `/api/v1/audit`: the log as it is stored, for whoever wants to recompute what vouches for it. */

const position = z.number().int().nonnegative();
const wholeNumber = z.coerce.number().int();

/** A record as it is stored, unjudged: whatever somebody may have made of it has to get through. */
export const AuditRecord = z.strictObject({
  position: z.number().int(),
  /** RFC 8785 text of the record without its hashes: what is hashed. */
  canonical: z.string(),
  prevHash: z.string(),
  hash: z.string(),
  /** What the table repeats of the text, for its indexes. */
  columns: z.strictObject({
    id: z.string(),
    stream: z.string(),
    version: z.number().int(),
    type: z.string(),
    schemaVersion: z.number().int(),
    time: z.string(),
    correlation: z.string().nullable(),
  }),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** Where the log says that it ends. */
export const LogHead = z.strictObject({ position, hash: z.string() });
export type LogHead = z.infer<typeof LogHead>;

export const AuditEventsQuery = z.strictObject({
  after: wholeNumber.nonnegative().default(0).describe('Records after this log position.'),
  to: wholeNumber
    .nonnegative()
    .optional()
    .describe('Records up to this log position; otherwise as far as there are any.'),
  limit: wholeNumber.min(1).max(1_000).default(500).describe('At most so many; fewer when they are large.'),
  run: RunId.optional().describe('Only the records of this run, and the delivery that led to it.'),
});
export type AuditEventsQuery = z.infer<typeof AuditEventsQuery>;

/** An empty page is the end. */
export const AuditEventsPage = z.strictObject({ head: LogHead, records: z.array(AuditRecord) });
export type AuditEventsPage = z.infer<typeof AuditEventsPage>;

export const AuditCheckpointsQuery = z.strictObject({
  after: wholeNumber.nonnegative().default(0).describe('Checkpoints of positions after this one.'),
  limit: wholeNumber.min(1).max(1_000).default(100),
});
export type AuditCheckpointsQuery = z.infer<typeof AuditCheckpointsQuery>;

/** A checkpoint and where it was found. In the store alone: it was never recorded, or its record is gone. */
export const AuditCheckpoint = Checkpoint.extend({ inLog: z.boolean(), inStore: z.boolean() });
export type AuditCheckpoint = z.infer<typeof AuditCheckpoint>;

export const AuditCheckpointsPage = z.strictObject({ checkpoints: z.array(AuditCheckpoint) });
export type AuditCheckpointsPage = z.infer<typeof AuditCheckpointsPage>;

export const AuditVerifyQuery = z.strictObject({
  from: wholeNumber.nonnegative().default(0).describe('Position of a checkpoint to go on from; 0 is the beginning.'),
  limit: wholeNumber.min(1).max(50_000).default(10_000).describe('Records to check at most.'),
});
export type AuditVerifyQuery = z.infer<typeof AuditVerifyQuery>;

/** Where a log stops being what it was. */
export const AuditFinding = z.strictObject({
  /** The first position at which it may not be. */
  position: z.number().int(),
  /** The last position at which that may begin: equal to `position` unless only a signature over several records fails. */
  upTo: z.number().int(),
  problem: z.string(),
});
export type AuditFinding = z.infer<typeof AuditFinding>;

/** What came out of recomputing a stretch of the log. */
export const AuditVerification = z.strictObject({
  /** Null: everything that was looked at is as it was recorded. */
  finding: AuditFinding.nullable(),
  checked: position,
  /** The last record that was checked, and its hash. */
  position,
  hash: z.string(),
  /** Up to here a checkpoint vouches for what was checked. 0: none does. */
  signedUpTo: position,
  checkpoints: position.describe('Checkpoints that fit, in the log or kept outside of it.'),
  /** Whether the end of the log was reached. */
  complete: z.boolean(),
});
export type AuditVerification = z.infer<typeof AuditVerification>;
