import { FIRST_PREV_HASH } from '@delta-ci/domain';
import { chainHash } from '../append/hash-chain.ts';
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

interface StoredRow {
  position: number;
  id: string;
  stream: string;
  version: number;
  type: string;
  schema_version: number;
  time: string;
  correlation: string | null;
  canonical: string;
  prev_hash: string;
  hash: string;
  follows: boolean;
}

/** Records in memory at a time. */
const PAGE = 5_000;

/** `follows`: the stream's version before this one stands earlier in the log. */
const TEXT = `
  SELECT e.position, e.id, e.stream, e.version, e.type, e.schema_version,
         to_char(e.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time,
         e.correlation, e.canonical, e.prev_hash, e.hash,
         e.version = 1 OR EXISTS (SELECT 1 FROM event p
           WHERE p.stream = e.stream AND p.version = e.version - 1 AND p.position < e.position) AS follows
  FROM event e WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT ${PAGE}`;

/**
 * Recomputes the chain and names the first position where the log is not what was appended: a record changed, missing,
 * moved or added, a column that says something else than the text, a stream with a gap, a head that is not the last
 * record. Memory stays flat. A log whose end was cut off together with its head needs a trusted hash from outside.
 */
export async function verifyChain(log: LogConnection, options: VerifyOptions = {}): Promise<Verification> {
  const from = options.from ?? 1;
  const head = await headOf(log);
  const to = options.to ?? Math.max(head.position, await lastPosition(log));
  let before = { position: from - 1, hash: options.trustedPrevHash ?? (await hashAt(log, from - 1)) };
  let checked = 0;
  while (before.position < to) {
    const { rows } = await log.pool.query<StoredRow>(TEXT, [before.position, to]);
    for (const row of rows) {
      const problem = problemOf(row, before);
      if (problem !== null) return { ok: false, checked, firstBadPosition: before.position + 1, problem };
      before = row;
      checked += 1;
    }
    if (rows.length === 0) return missing(before.position + 1, checked);
    options.onProgress?.(before.position);
  }
  if (options.to === undefined && (head.position !== before.position || head.hash !== before.hash)) {
    const problem = `the head says ${head.position}, the log ends at ${before.position}`;
    return { ok: false, checked, firstBadPosition: Math.min(head.position, before.position) + 1, problem };
  }
  return { ok: true, checked, position: before.position, hash: before.hash };
}

const missing = (position: number, checked: number): Verification => ({
  ok: false,
  checked,
  firstBadPosition: position,
  problem: 'the record is missing',
});

/** What is wrong with a record that should come right after `before`; null: nothing. */
function problemOf(row: StoredRow, before: { readonly position: number; readonly hash: string }): string | null {
  if (row.position !== before.position + 1) return 'the record is missing';
  if (row.prev_hash !== before.hash) return 'the record does not continue the hash before it';
  if (row.hash !== chainHash(before.hash, row.canonical)) return 'the hash is not that of the text';
  if (!columnsAgree(row)) return 'a column says something else than the text';
  return row.follows ? null : `version ${row.version} of stream ${row.stream} follows no version ${row.version - 1}`;
}

function columnsAgree(row: StoredRow): boolean {
  const record = JSON.parse(row.canonical) as Record<string, unknown>;
  return (
    record['id'] === row.id &&
    record['position'] === row.position &&
    record['stream'] === row.stream &&
    record['version'] === row.version &&
    record['type'] === row.type &&
    record['schemaVersion'] === row.schema_version &&
    record['time'] === row.time &&
    record['correlation'] === row.correlation
  );
}

async function headOf({ pool }: LogConnection): Promise<{ position: number; hash: string }> {
  const { rows } = await pool.query<{ position: number; hash: string }>('SELECT position, hash FROM log_head');
  return rows[0] ?? { position: 0, hash: '' };
}

async function lastPosition({ pool }: LogConnection): Promise<number> {
  const { rows } = await pool.query<{ last: number | null }>('SELECT max(position) AS last FROM event');
  return rows[0]?.last ?? 0;
}

async function hashAt({ pool }: LogConnection, position: number): Promise<string> {
  if (position === 0) return FIRST_PREV_HASH;
  const { rows } = await pool.query<{ hash: string }>('SELECT hash FROM event WHERE position = $1', [position]);
  return rows[0]?.hash ?? '';
}
