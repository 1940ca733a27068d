import { runOfRecipe, type RecipeSummary } from '@delta-ci/contracts';

/** A recipe with the first run that it failed. */
export interface RecipeRow {
  readonly recipe_id: string;
  readonly repository_id: string;
  readonly fingerprint: string;
  readonly version: number;
  readonly digest: string;
  readonly rules: string;
  readonly learned_at_ms: number;
  readonly failed_in: string | null;
  readonly failed_at_ms: number | null;
  readonly reason: string | null;
}

/** `recipe` as `r` with what a `RecipeRow` has besides; conditions and order follow. */
export const RECIPES = `
  SELECT r.recipe_id, r.repository_id, r.fingerprint, r.version, r.digest, r.rules, r.learned_at_ms,
    f.failed_in, f.failed_at_ms, f.reason
  FROM recipe r
  LEFT JOIN LATERAL (
    SELECT failed_in, failed_at_ms, reason FROM recipe_failure
    WHERE recipe_failure.recipe_id = r.recipe_id ORDER BY failed_at_ms, failed_in LIMIT 1
  ) f ON true`;

export function recipeSummaryOf(row: RecipeRow): RecipeSummary {
  const { failed_in: failedIn, failed_at_ms: staledAtMs, reason } = row;
  return {
    recipeId: row.recipe_id,
    repository: row.repository_id,
    fingerprint: row.fingerprint,
    version: row.version,
    digest: row.digest,
    rules: row.rules,
    learnedFrom: runOfRecipe(row.recipe_id),
    learnedAtMs: row.learned_at_ms,
    stale: failedIn === null || staledAtMs === null ? null : { failedIn, staledAtMs, reason: reason ?? '' },
  };
}
