import type { StreamName } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** Where a stream of the bus ended when it was last seen whole. */
export interface StreamMark {
  /** Of its last message, 0 when there was none. */
  readonly sequence: number;
  /** When that message was stored, as the bus says it; null when there was none to be read. */
  readonly storedAt: string | null;
}

type MarkRow = StreamMark & { readonly stream: StreamName };

const READ = 'SELECT stream, sequence, stored_at AS "storedAt" FROM stream_mark';
const WRITE = `
  INSERT INTO stream_mark (stream, sequence, stored_at) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
  ON CONFLICT (stream) DO UPDATE SET sequence = excluded.sequence, stored_at = excluded.stored_at`;

/**
 * How far streams of the bus were seen, kept where losing the bus cannot lose it and whoever takes over finds it. Light
 * rows outside the log: they say nothing about runs, and a mark that is older than the truth only has more heard again.
 */
export class StreamMarks {
  readonly #log: LogConnection;

  constructor(log: LogConnection) {
    this.#log = log;
  }

  async read(): Promise<ReadonlyMap<StreamName, StreamMark>> {
    const { rows } = await this.#log.pool.query<MarkRow>({ name: 'read-stream-marks', text: READ });
    return new Map(rows.map(({ stream, sequence, storedAt }) => [stream, { sequence, storedAt }]));
  }

  /** Replaces the marks of these streams. */
  async write(marks: ReadonlyMap<StreamName, StreamMark>): Promise<void> {
    const each = [...marks.values()];
    const values = [[...marks.keys()], each.map(({ sequence }) => sequence), each.map(({ storedAt }) => storedAt)];
    await this.#log.pool.query({ name: 'write-stream-marks', text: WRITE, values });
  }
}
