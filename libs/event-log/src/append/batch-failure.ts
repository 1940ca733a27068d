import { BrokenInvariant } from '@delta-ci/domain';
import pg from 'pg';

/** Somebody else was quicker: the same batch, tried again, sees what they did. */
export class BatchConflict extends Error {
  override readonly name = 'BatchConflict';
}

/** What the database holds, or what a decision made, cannot be. Trying again would find the same. */
export class LogBroken extends Error {
  override readonly name = 'LogBroken';
}

/** Constraints that only a concurrent writer can have broken: its rows are there when we look again. */
const RACED_CONSTRAINTS = new Set(['inbox_pkey', 'stream_pkey', 'event_pkey', 'event_stream_version_unique']);

/**
 * SQLSTATE classes and codes that say nothing about the batch itself: 08 connection, 53 resources (disk full included),
 * 57P server shutting down, 40 serialization and deadlock, 55P03 lock timeout, 25P03 idle timeout, 57014 statement
 * timeout, 25P02 and 25006 a transaction that failed or a server that is being demoted.
 */
const PASSING_STATES = /^(?:08...|53...|57P..|40...|55P03|25P03|57014|25P02|25006)$/;

/**
 * Whether trying the same batch again can help. Errors without a SQLSTATE come from the connection, not from the
 * server, and are passing; so is everything about locks and resources. The rest is about the content.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof BatchConflict) return true;
  if (!(error instanceof pg.DatabaseError)) return error instanceof Error && !isOurs(error);
  if (error.code === '23505') return RACED_CONSTRAINTS.has(error.constraint ?? '');
  return PASSING_STATES.test(error.code ?? '');
}

/** Whether somebody else was quicker, so that waiting would only lose time. */
export function isConflict(error: unknown): boolean {
  if (error instanceof BatchConflict) return true;
  return error instanceof pg.DatabaseError && (error.code === '40001' || error.code === '23505');
}

/** Mistakes of our own code would be thrown again. */
function isOurs(error: Error): boolean {
  const ours = [LogBroken, BrokenInvariant, TypeError, RangeError, ReferenceError];
  return ours.some((kind) => error instanceof kind);
}
