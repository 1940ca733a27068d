import type { AuditRecord, Checkpoint, LogHead, RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import { readStoredRecords } from './read-stored-records.ts';

export interface Stretch {
  readonly after: number;
  readonly to?: number;
}

/** Where the records come from that are to be verified. Nothing it says is believed. */
export interface AuditSource {
  head(): Promise<LogHead>;
  /** The records of a stretch in pages, in order. Ends where there are no more. */
  records(stretch: Stretch): AsyncIterable<readonly AuditRecord[]>;
  /** The records of a run, and of the delivery that led to it. */
  recordsOfRun(run: RunId): AsyncIterable<readonly AuditRecord[]>;
  /** Checkpoints of positions after `after` from outside the log, or from its tables, in order. */
  checkpoints(after: number): AsyncIterable<Checkpoint>;
}

/** Records in memory at a time. */
const PAGE = 2_000;

/** A log's own database. Checkpoints are those of the log; whoever kept some elsewhere adds them. */
export function databaseAuditSource(log: LogConnection): AuditSource {
  return {
    head: async () => headOf(log),
    records: ({ after, to }) => pages(after, async (from) => readStoredRecords(log, { after: from, to, limit: PAGE })),
    recordsOfRun: (run) => pages(0, async (from) => readStoredRecords(log, { after: from, limit: PAGE, run })),
    checkpoints: (after) => checkpointsOf(log, after),
  };
}

/**
 * Pages until one is empty; the next one is on its way while one is looked at. A source that does not move forward would
 * never end, so it ends there.
 */
export async function* pages(
  after: number,
  read: (after: number) => Promise<readonly AuditRecord[]>,
): AsyncGenerator<readonly AuditRecord[]> {
  let next = read(after);
  for (let from = after; ;) {
    const page = await next;
    const last = page.at(-1)?.position ?? from;
    if (last <= from) {
      yield page;
      return;
    }
    next = read(last);
    // Heard when it is awaited; whoever leaves before that is not told.
    next.catch(() => undefined);
    yield page;
    from = last;
  }
}

async function headOf({ pool }: LogConnection): Promise<LogHead> {
  const { rows } = await pool.query<LogHead>('SELECT position, hash FROM log_head');
  return rows[0] ?? { position: 0, hash: '' };
}

interface CheckpointRow {
  position: number;
  hash: string;
  unfinished: string;
  time: string;
  key_id: string;
  signature: string;
}

/** As the log's table has them: found fast, and worth what their signatures are worth. */
export async function readCheckpoints({ pool }: LogConnection, after: number, limit: number): Promise<Checkpoint[]> {
  const text = 'SELECT * FROM checkpoint WHERE position > $1 ORDER BY position LIMIT $2';
  const { rows } = await pool.query<CheckpointRow>(text, [after, limit]);
  return rows.map(({ key_id, ...rest }) => ({ ...rest, keyId: key_id }));
}

async function* checkpointsOf(log: LogConnection, after: number): AsyncGenerator<Checkpoint> {
  for (let from = after; ;) {
    const page = await readCheckpoints(log, from, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.position;
  }
}
