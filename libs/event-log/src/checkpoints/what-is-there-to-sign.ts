import type { CheckpointClaim } from '@delta-ci/contracts';
import type { PoolClient } from 'pg';
import { LogBroken } from '../append/batch-failure.ts';
import type { LogConnection } from '../connection.ts';
import { digestUnfinishedWork } from './digest-unfinished-work.ts';

/** What a checkpoint would say now, but for the key. */
export type UnsignedClaim = Omit<CheckpointClaim, 'keyId'>;

export interface ToSign {
  /** The position the newest checkpoint covers; 0: there is none. */
  readonly covered: number;
  /** Null when nothing was recorded since but that checkpoint itself. */
  readonly claim: UnsignedClaim | null;
}

/** The log as it stands: head, unfinished work and clock out of one snapshot. Takes no lock and waits for nobody. */
export async function whatIsThereToSign({ pool }: LogConnection): Promise<ToSign> {
  const client = await pool.connect();
  try {
    // The tables are large and what is live in them is little: partial indexes find it, also while statistics are old.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL enable_seqscan = off');
    const toSign = await toSignIn(client);
    await client.query('COMMIT');
    client.release();
    return toSign;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

interface HeadRow {
  position: number;
  hash: string;
  covered: number;
  time: string;
}

const HEAD = `
  SELECT position, hash, (SELECT coalesce(max(position), 0) FROM checkpoint) AS covered,
    to_char(to_timestamp(now_ms() / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time
  FROM log_head`;

async function toSignIn(client: PoolClient): Promise<ToSign> {
  const { rows } = await client.query<HeadRow>(HEAD);
  const [head] = rows;
  if (head === undefined) throw new LogBroken('the log has no head');
  const { position, hash, covered, time } = head;
  // The record after a covered position is the checkpoint that covers it, when nobody else wrote meanwhile.
  const known = covered === 0 ? 0 : covered + 1;
  if (position <= known) return { covered, claim: null };
  const { digest: unfinished } = await digestUnfinishedWork(client);
  return { covered, claim: { position, hash, unfinished, time } };
}
