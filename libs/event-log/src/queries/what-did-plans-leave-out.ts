import type { PlanShadow, RepositoryId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** Plans that are looked at, the newest first; larger ones than this are not read for a sum. */
const PLANS_MAX = 1_000;
const BODY_LENGTH_MAX = 8 * 1_024 ** 2;

const TEXT = `
  SELECT replace(p.body, '\\u0000', '\\ufffd')::jsonb -> 'shadow' AS shadow
  FROM (
    SELECT plan_digest, created_at_ms, run_id FROM run
    WHERE repository_id = $1 AND plan_digest IS NOT NULL AND rerun IS NULL
    ORDER BY created_at_ms DESC, run_id DESC LIMIT $2
  ) r
  JOIN plan p ON p.digest = r.plan_digest
  WHERE length(p.body) <= $3 AND p.body LIKE '%"shadow":{%'
  ORDER BY r.created_at_ms DESC, r.run_id DESC`;

/** What each of a repository's newest plans left out, as far as a ledger was kept; the newest first. */
export async function whatDidPlansLeaveOut({ pool }: LogConnection, repositoryId: RepositoryId): Promise<PlanShadow[]> {
  const { rows } = await pool.query<{ shadow: PlanShadow | null }>({
    name: 'what-did-plans-leave-out',
    text: TEXT,
    values: [repositoryId, PLANS_MAX, BODY_LENGTH_MAX],
  });
  return rows.flatMap(({ shadow }) => (shadow === null ? [] : [shadow]));
}
