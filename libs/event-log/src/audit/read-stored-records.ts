import { runStream, type AuditRecord, type RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface StoredRecordsQuery {
  readonly after: number;
  /** Default: as far as there are any. */
  readonly to?: number | undefined;
  readonly limit: number;
  /** Only the records of this run's stream, and the delivery that led to it: it stands right before the first of them. */
  readonly run?: RunId | undefined;
}

/** In the order of `SELECT`: an audit reads a whole log, and rows without names of their own are made in half the time. */
type Row = [
  position: number,
  id: string,
  stream: string,
  version: number,
  type: string,
  schemaVersion: number,
  time: string,
  correlation: string | null,
  canonical: string,
  prevHash: string,
  hash: string,
];

const SELECT = `
  SELECT position, id, stream, version, type, schema_version,
    to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time, correlation, canonical, prev_hash, hash
  FROM event`;

/**
 * A page by the positions it can have, not by its length alone: a server that has not counted a young table yet takes the
 * rest of the log for a few rows, reads and formats all of it, sorts it, and throws away what the page has no room for.
 * Positions have no gaps, so the page is as long; where somebody made a gap, it begins behind it.
 */
export const STRETCH = `${SELECT}
  WHERE position > $1 AND position <= least($2, (SELECT min(position) - 1 FROM event WHERE position > $1) + $3)
  ORDER BY position LIMIT $3`;

const OF_RUN = `
  WITH found AS (
    ${SELECT} WHERE stream = $4
    UNION ALL
    ${SELECT} WHERE correlation = $5
      AND position = (SELECT position FROM event WHERE stream = $4 ORDER BY version LIMIT 1) - 1
  )
  SELECT * FROM found WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`;

/** Records as they are stored, with every column, unjudged: for whoever recomputes what vouches for them. */
export async function readStoredRecords({ pool }: LogConnection, query: StoredRecordsQuery): Promise<AuditRecord[]> {
  const { after, to = Number.MAX_SAFE_INTEGER, limit, run } = query;
  const page = [after, to, limit];
  const { rows } = await pool.query<Row>({
    rowMode: 'array',
    ...(run === undefined ? { text: STRETCH, values: page } : { text: OF_RUN, values: [...page, runStream(run), run] }),
  });
  return rows.map(recordOf);
}

function recordOf(row: Row): AuditRecord {
  const [position, id, stream, version, type, schemaVersion, time, correlation, canonical, prevHash, hash] = row;
  const columns = { id, stream, version, type, schemaVersion, time, correlation };
  return { position, canonical, prevHash, hash, columns };
}
