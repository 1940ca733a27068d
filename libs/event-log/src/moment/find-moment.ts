import { parseMoment, type EpochMs, type Moment } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** A place in the log, and when its last event was recorded. */
export interface FoundMoment {
  readonly position: number;
  /** Null before the first event. */
  readonly atMs: EpochMs | null;
}

/** Where a moment is in the log; null when the log is not that long, or the text names no moment. */
export async function findMoment(log: LogConnection, moment: Moment): Promise<FoundMoment | null> {
  const parsed = parseMoment(moment);
  if (parsed === null) return null;
  const head = await headOf(log);
  if ('time' in parsed) return lastBefore(log, Date.parse(parsed.time), head);
  if (parsed.position > head) return null;
  return { position: parsed.position, atMs: await timeAt(log, parsed.position) };
}

/** Halves the log until the last event that is not later is found: times grow with positions, and no index is needed. */
async function lastBefore(log: LogConnection, atMs: EpochMs, head: number): Promise<FoundMoment> {
  let [low, high] = [0, head];
  let found: FoundMoment = { position: 0, atMs: null };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const recordedMs = await timeAt(log, middle);
    if (recordedMs !== null && recordedMs <= atMs) {
      found = { position: middle, atMs: recordedMs };
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return found;
}

async function headOf({ pool }: LogConnection): Promise<number> {
  const { rows } = await pool.query<{ position: number }>('SELECT position FROM log_head');
  return rows[0]?.position ?? 0;
}

async function timeAt({ pool }: LogConnection, position: number): Promise<EpochMs | null> {
  const { rows } = await pool.query<{ at_ms: number }>({
    name: 'time-at-position',
    text: 'SELECT (extract(epoch FROM time) * 1000)::bigint AS at_ms FROM event WHERE position = $1',
    values: [position],
  });
  return rows[0]?.at_ms ?? null;
}
