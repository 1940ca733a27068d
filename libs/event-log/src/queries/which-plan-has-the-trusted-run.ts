import type { Digest, RunId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** The digest of a run's plan; null when it has none, when its change is not trusted, or when there is no such run. */
export async function whichPlanHasTheTrustedRun({ pool }: LogConnection, runId: RunId): Promise<Digest | null> {
  const { rows } = await pool.query<{ plan_digest: string | null }>(
    `SELECT plan_digest FROM run WHERE run_id = $1 AND change->>'trust' = 'trusted'`,
    [runId],
  );
  return rows[0]?.plan_digest ?? null;
}
