import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Digest, EpochMs, RepositoryId, RunId } from './ids.ts';
import { Recipe, RecipeId, RecipeVersion, RulesVersion } from './recipe.ts';

/** Recipes in the public API: what is known to work, since when, and what became of it. */

export const RecipeListQuery = z.strictObject({
  repository: RepositoryId.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});
export type RecipeListQuery = z.infer<typeof RecipeListQuery>;

export const RecipeSummary = z.strictObject({
  recipeId: RecipeId,
  repository: RepositoryId,
  fingerprint: Digest,
  version: RecipeVersion,
  digest: Digest,
  rules: RulesVersion,
  /** The run that proved it. */
  learnedFrom: RunId,
  learnedAtMs: EpochMs,
  /** The run that it failed first; null while it works. */
  stale: z.strictObject({ failedIn: RunId, staledAtMs: EpochMs, reason: z.string() }).nullable(),
});
export type RecipeSummary = z.infer<typeof RecipeSummary>;

export const RecipePage = z.strictObject({ recipes: z.array(RecipeSummary), nextCursor: z.string().nullable() });
export type RecipePage = z.infer<typeof RecipePage>;

/** `GET /recipes/{id}` */
export const RecipeView = RecipeSummary.extend({
  /** Null when the artifact store has lost it. */
  recipe: Recipe.nullable(),
  /** Whether plans of trees with its fingerprint follow it: it is the newest and not stale. */
  current: z.boolean(),
  /**
   * Successful runs of trusted changes, among the newest of the repository, by this very description, under whatever
   * fingerprints.
   */
  successes: z.number().int().nonnegative(),
  /** Whether these are enough to offer it as a configuration file. */
  converged: z.boolean(),
});
export type RecipeView = z.infer<typeof RecipeView>;

export const RECIPE_ENDPOINTS = {
  listRecipes: {
    method: 'GET',
    path: '/api/v1/recipes',
    summary: 'Recipes, newest first, those that are stale among them',
    access: 'viewer',
    query: RecipeListQuery,
    answers: { 200: RecipePage },
    refusals: [],
  },
  showRecipe: {
    method: 'GET',
    path: '/api/v1/recipes/:recipeId',
    summary: 'One recipe with its units and commands, and how often it led to success',
    access: 'viewer',
    params: z.strictObject({ recipeId: RecipeId }),
    answers: { 200: RecipeView },
    refusals: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
