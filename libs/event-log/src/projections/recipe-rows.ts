import type { ProjectedEvent } from './projected-event.ts';
import { put, type RowChange } from './row-change.ts';

/** Rows of recipes. Nothing ever changes one: what a recipe failed stands beside it, run by run. */

export function onRecipeLearned({ data, atMs }: ProjectedEvent<'recipe.learned'>): RowChange[] {
  const { recipeId, repository, fingerprint, version, recipeDigest, rules } = data;
  const known = { recipe_id: recipeId, repository_id: repository, fingerprint, version, digest: recipeDigest, rules };
  return [put('recipe', { ...known, learned_at_ms: atMs })];
}

export function onRecipeStaled({ data, atMs }: ProjectedEvent<'recipe.staled'>): RowChange[] {
  const { recipeId, runId, reason } = data;
  return [put('recipe_failure', { recipe_id: recipeId, failed_in: runId, reason, failed_at_ms: atMs })];
}
