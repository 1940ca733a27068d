import type { ChangeKind, EpochMs, RepositoryId, RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

export interface RunOfRef {
  readonly runId: RunId;
  readonly changeKind: ChangeKind;
  readonly head: string;
  readonly createdAtMs: EpochMs;
}

const TEXT = `
  SELECT run_id AS "runId", change ->> 'kind' AS "changeKind", change ->> 'head' AS head,
         created_at_ms AS "createdAtMs"
  FROM run
  WHERE live AND repository_id = $1
    AND CASE WHEN $3::integer IS NULL THEN ref = $2 AND pull_request IS NULL ELSE pull_request = $3 END
  ORDER BY created_at_ms, run_id`;

/** Live runs of the same pull request, or of the same ref when it is none: those a newer head may supersede. */
export async function whichRunsShareTheRef(
  { pool }: LogConnection,
  change: { readonly repository: RepositoryId; readonly ref: string; readonly pullRequest: number | null },
): Promise<RunOfRef[]> {
  const values = [change.repository, change.ref, change.pullRequest];
  return (await pool.query<RunOfRef>({ name: 'which-runs-share-the-ref', text: TEXT, values })).rows;
}
