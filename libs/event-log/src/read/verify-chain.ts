import { FIRST_PREV_HASH } from '@delta-ci/domain';
import { databaseAuditSource } from '../audit/audit-source.ts';
import { verifyLog } from '../audit/verify-log.ts';
import type { LogConnection } from '../connection.ts';

export interface VerifyOptions {
  /** First position to check. Default 1. */
  readonly from?: number;
  /** Last position to check. Default: the head, and then the head itself is checked too. */
  readonly to?: number;
  /** Hash of the record before `from`, from a trusted source such as a signed checkpoint. Default: what the log holds. */
  readonly trustedPrevHash?: string;
  /** Told how far it has come. */
  readonly onProgress?: (position: number) => void;
}

export type Verification =
  | { readonly ok: true; readonly checked: number; readonly position: number; readonly hash: string }
  | { readonly ok: false; readonly checked: number; readonly firstBadPosition: number; readonly problem: string };

/**
 * Recomputes the chain of a log in its own database, without keys: finds what `verifyLog` finds but for signatures. A chain
 * that was made anew from some position on, or cut off together with its head, needs checkpoints and the keys they are
 * signed with, or a trusted hash from outside.
 */
export async function verifyChain(log: LogConnection, options: VerifyOptions = {}): Promise<Verification> {
  const { to, onProgress } = options;
  const before = (options.from ?? 1) - 1;
  const start = { position: before, hash: options.trustedPrevHash ?? (await hashAt(log, before)) };
  const more = { ...(to === undefined ? {} : { to }), ...(onProgress === undefined ? {} : { onProgress }) };
  const verified = await verifyLog(databaseAuditSource(log), { keys: null, start, ...more });
  const { finding, checked, position, hash } = verified;
  if (finding === null) return { ok: true, checked, position, hash };
  return { ok: false, checked, firstBadPosition: finding.position, problem: finding.problem };
}

async function hashAt({ pool }: LogConnection, position: number): Promise<string> {
  if (position === 0) return FIRST_PREV_HASH;
  const { rows } = await pool.query<{ hash: string }>('SELECT hash FROM event WHERE position = $1', [position]);
  return rows[0]?.hash ?? '';
}
