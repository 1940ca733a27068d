import type { Digest, Plan } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** The plan stored under a digest; null when there is none. Its body was checked against the digest when it was stored. */
export async function findPlan({ pool }: LogConnection, digest: Digest): Promise<Plan | null> {
  const { rows } = await pool.query<{ body: string }>('SELECT body FROM plan WHERE digest = $1', [digest]);
  return rows[0] === undefined ? null : (JSON.parse(rows[0].body) as Plan);
}
