import type { Digest, RepositoryId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** As many as are named at once, the newest first: whoever asks after each new version has seen to those before. */
const NAMED_MAX = 100;

/**
 * Digests of recipes under a fingerprint that many newer ones have followed, and that are among the newest of no other
 * fingerprint, of whatever repository: what lies under them nobody follows any more.
 * @param kept the newest versions of a fingerprint that count as in use
 */
export async function findOutgrownRecipes(
  { pool }: LogConnection,
  repository: RepositoryId,
  fingerprint: Digest,
  kept: number,
): Promise<Digest[]> {
  const { rows } = await pool.query<{ digest: Digest }>(OUTGROWN, [repository, fingerprint, kept, NAMED_MAX]);
  return rows.map(({ digest }) => digest);
}

const OUTGROWN = `
  SELECT old.digest FROM recipe old
  WHERE old.repository_id = $1 AND old.fingerprint = $2 AND NOT EXISTS (
    SELECT FROM recipe same WHERE same.digest = old.digest AND $3 > (
      SELECT count(DISTINCT newer.version) FROM recipe newer
      WHERE newer.repository_id = same.repository_id AND newer.fingerprint = same.fingerprint
        AND newer.version > same.version
    )
  )
  GROUP BY old.digest ORDER BY max(old.version) DESC LIMIT $4`;
