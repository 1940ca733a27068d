import type { RecipeListQuery, RecipePage } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import { RECIPES, recipeSummaryOf, type RecipeRow } from './recipe-summary.ts';

/** Recipes, newest first. Null: the cursor is not one of ours. */
export async function listRecipes(
  { pool }: LogConnection,
  { repository, limit, cursor }: RecipeListQuery,
): Promise<RecipePage | null> {
  const after = cursor === undefined ? { learnedAtMs: null, recipeId: null } : placeOf(cursor);
  if (after === null) return null;
  const values = [repository ?? null, after.learnedAtMs, after.recipeId, limit + 1];
  const { rows: found } = await pool.query<RecipeRow>(NEWEST, values);
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const more = found.length > limit && last !== undefined;
  return {
    recipes: rows.map(recipeSummaryOf),
    nextCursor: more ? `${last.learned_at_ms}.${last.recipe_id}` : null,
  };
}

const NEWEST = `${RECIPES}
  WHERE ($1::text IS NULL OR r.repository_id = $1)
    AND ($2::bigint IS NULL OR (r.learned_at_ms, r.recipe_id) < ($2, $3::text))
  ORDER BY r.learned_at_ms DESC, r.recipe_id DESC LIMIT $4`;

function placeOf(cursor: string): { readonly learnedAtMs: number; readonly recipeId: string } | null {
  const [, learnedAtMs, recipeId] = /^(\d{1,15})\.(rcp_[0-9a-f]{32})$/.exec(cursor) ?? [];
  return learnedAtMs === undefined || recipeId === undefined ? null : { learnedAtMs: Number(learnedAtMs), recipeId };
}
