import type { Digest, RepositoryId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';

/** As many as are named at once, the newest first: whoever asks after each new version has seen to those before. */
const NAMED_MAX = 20;

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

/** Others of the same digest are found by one look through the table, once for all that are named. */
const OUTGROWN = `
  WITH old AS MATERIALIZED (
    SELECT digest, max(version) AS version FROM recipe
    WHERE repository_id = $1 AND fingerprint = $2 AND version <= (
      SELECT max(version) - $3::integer FROM recipe WHERE repository_id = $1 AND fingerprint = $2
    )
    GROUP BY digest ORDER BY max(version) DESC LIMIT $4
  ),
  same AS MATERIALIZED (
    SELECT digest, repository_id, fingerprint, version FROM recipe WHERE digest IN (SELECT digest FROM old)
  )
  SELECT old.digest FROM old
  WHERE NOT EXISTS (
    SELECT FROM same WHERE same.digest = old.digest AND same.version > (
      SELECT max(version) - $3::integer FROM recipe
      WHERE recipe.repository_id = same.repository_id AND recipe.fingerprint = same.fingerprint
    )
  )
  ORDER BY old.version DESC`;
