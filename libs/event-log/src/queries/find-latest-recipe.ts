import type { Digest, RecipeSummary, RepositoryId } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import { RECIPES, recipeSummaryOf, type RecipeRow } from './recipe-summary.ts';

/** The newest recipe under a fingerprint, stale or not; null when none was ever learned. */
export async function findLatestRecipe(
  { pool }: LogConnection,
  repository: RepositoryId,
  fingerprint: Digest,
): Promise<RecipeSummary | null> {
  const { rows } = await pool.query<RecipeRow>(LATEST, [repository, fingerprint]);
  return rows[0] === undefined ? null : recipeSummaryOf(rows[0]);
}

const LATEST = `${RECIPES}
  WHERE r.repository_id = $1 AND r.fingerprint = $2
  ORDER BY r.version DESC, r.learned_at_ms DESC, r.recipe_id DESC LIMIT 1`;
