import type { RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** A live run, and the newest run of the same pull request or ref that wants older ones gone. */
export interface SupersededRun {
  readonly runId: RunId;
  readonly by: RunId;
}

const TEXT = `
  SELECT older.run_id AS "runId", newest.run_id AS by
  FROM run older CROSS JOIN LATERAL (
    SELECT newer.run_id, newer.policy FROM run newer
    WHERE newer.repository_id = older.repository_id
      AND CASE WHEN older.pull_request IS NULL THEN newer.ref = older.ref AND newer.pull_request IS NULL
               ELSE newer.pull_request = older.pull_request END
      AND newer.rerun -> 'debug' IS NULL
      AND (newer.created_at_ms, newer.run_id) > (older.created_at_ms, older.run_id)
    ORDER BY newer.created_at_ms DESC, newer.run_id DESC LIMIT 1
  ) newest
  WHERE older.live AND older.rerun -> 'debug' IS NULL AND older.state <> 'canceling' AND (newest.policy ->> 'cancelSuperseded')::boolean
  ORDER BY older.created_at_ms LIMIT $1`;

/** Runs that a newer head has made pointless and that nobody has told yet. What is for debugging takes no place, and none takes its. */
export async function whichRunsAreSuperseded({ pool }: LogConnection, limit: number): Promise<SupersededRun[]> {
  return (await pool.query<SupersededRun>({ name: 'which-runs-are-superseded', text: TEXT, values: [limit] })).rows;
}
