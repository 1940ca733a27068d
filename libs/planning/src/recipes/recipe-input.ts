import type { Recipe, RecipeReference } from '@delta-ci/contracts';

/** What is known of recipes for a tree: a part of what a plan is made of. */
export interface RecipeInput {
  /** The digest of `fingerprintText`. */
  readonly fingerprint: string;
  /** The newest recipe under it; null when none was ever learned. */
  readonly latest: LatestRecipe | null;
}

export interface LatestRecipe extends RecipeReference {
  /** The version of the planning rules that described it. */
  readonly rules: string;
  readonly stale: { readonly staledAt: string; readonly reason: string } | null;
  /** Null when it is stale, and when it is no longer kept. */
  readonly recipe: Recipe | null;
}
