import { isNativeError } from 'node:util/types';
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

/**
 * What a failed batch says about itself.
 * - `passing`: nothing; somebody else was quicker, or the connection, locks or resources were at fault.
 * - `clash`: somebody else has put the same row meanwhile or, if it happens again and again, the row cannot be put.
 * - `content`: trying again would fail in the same way.
 */
export type BatchFailure = 'passing' | 'clash' | 'content';

/**
 * SQLSTATE classes and codes that say nothing about the batch itself: 08 connection, 53 resources (disk full included),
 * 57P server shutting down, 40 deadlock and the append function's answer to a wrong
 * head, 55P03 lock timeout, 25P03 idle timeout, 57014 statement timeout, 25P02 and
 * 25006 a transaction that failed or a server that is being demoted.
 */
const PASSING_STATES = /^(?:08...|53...|57P..|40...|55P03|25P03|57014|25P02|25006)$/;

const UNIQUE_VIOLATION = '23505';

/** Errors that are neither the server's nor ours come from the connection, and pass. */
export function failureOf(error: unknown): BatchFailure {
  if (error instanceof BatchConflict) return 'passing';
  // `instanceof Error` would not know the socket's own errors (EPIPE, ECONNRESET) where code runs in a VM context.
  if (!(error instanceof pg.DatabaseError)) return isNativeError(error) && !isOurs(error) ? 'passing' : 'content';
  if (error.code === UNIQUE_VIOLATION) return 'clash';
  return PASSING_STATES.test(error.code ?? '') ? 'passing' : 'content';
}

/** The unique index that has the row already; null when the failure is of another kind. */
export function clashingIndexOf(error: unknown): string | null {
  return error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION ? (error.constraint ?? null) : null;
}

/** Mistakes of our own code would be thrown again. */
function isOurs(error: Error): boolean {
  const ours = [LogBroken, BrokenInvariant, TypeError, RangeError, ReferenceError];
  return ours.some((kind) => error instanceof kind);
}
