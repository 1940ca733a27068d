import { runStream, type RecordedEvent, type RunId, type StreamId } from '@delta-ci/contracts';
import { recordedEventOf } from '../append/draft-event.ts';
import type { LogConnection } from '../connection.ts';

export interface ReadOptions {
  /** 0 reads from the beginning. */
  readonly afterPosition: number;
  readonly limit: number;
  /** Only events of this run. */
  readonly run?: RunId;
}

type EventRow = Parameters<typeof recordedEventOf>[0];

/** Reads the log. Positions have no gaps and appear in order: whoever has seen N has seen everything up to N. */
export class LogReader {
  readonly #log: LogConnection;

  constructor(log: LogConnection) {
    this.#log = log;
  }

  /** Events after a position, in order, at most `limit`. */
  read({ afterPosition, limit, run }: ReadOptions): Promise<RecordedEvent[]> {
    if (run === undefined) {
      return this.#events('read-after', 'position > $1 ORDER BY position LIMIT $2', [afterPosition, limit]);
    }
    // Within a stream versions and positions grow together, and the index is by version.
    const condition = 'stream = $3 AND position > $1 ORDER BY version LIMIT $2';
    return this.#events('read-run-after', condition, [afterPosition, limit, runStream(run)]);
  }

  /** Events of one stream after a version, in order, at most `limit`. */
  readStream(stream: StreamId, afterVersion: number, limit: number): Promise<RecordedEvent[]> {
    const condition = 'stream = $1 AND version > $2 ORDER BY version LIMIT $3';
    return this.#events('read-stream', condition, [stream, afterVersion, limit]);
  }

  /** Version of a stream's last event before a position; 0 when it has none there. */
  async versionAt(stream: StreamId, position: number): Promise<number> {
    const { rows } = await this.#log.pool.query<{ version: number }>({
      name: 'read-version-at',
      text: 'SELECT version FROM event WHERE stream = $1 AND position < $2 ORDER BY version DESC LIMIT 1',
      values: [stream, position],
    });
    return rows[0]?.version ?? 0;
  }

  /** Position and hash of the newest record; 0 and 64 zeros for an empty log. */
  async head(): Promise<{ position: number; hash: string }> {
    const { rows } = await this.#log.pool.query<{ position: number; hash: string }>({
      name: 'read-head',
      text: 'SELECT position, hash FROM log_head',
    });
    const head = rows[0];
    if (head === undefined) throw new Error('the log has no head');
    return head;
  }

  async #events(name: string, condition: string, values: unknown[]): Promise<RecordedEvent[]> {
    const text = `SELECT canonical, prev_hash, hash FROM event WHERE ${condition}`;
    return (await this.#log.pool.query<EventRow>({ name, text, values })).rows.map(recordedEventOf);
  }
}
