import { keptRecipe } from '@delta-ci/artifact-store';
import {
  ENDPOINTS,
  SUCCESSES_TO_CONVERGE,
  type RecipeId,
  type RecipeListQuery,
  type RecipePage,
  type RecipeView,
} from '@delta-ci/contracts';
import { listRecipes, showRecipe } from '@delta-ci/event-log';
import { Controller, Inject, Param, Query } from '@nestjs/common';
import { foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

/** What is known to work, since when, and what became of it. */
@Controller()
export class RecipeController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listRecipes')
  async list(@Query({ schema: ENDPOINTS.listRecipes.query }) query: RecipeListQuery): Promise<RecipePage> {
    const page = await listRecipes(this.#parts.log, query);
    if (page === null) throw refusedWith('invalid_request', 'cursor of the query: not one of this list');
    return page;
  }

  @Route('showRecipe')
  async show(
    @Param({ schema: ENDPOINTS.showRecipe.params }) { recipeId }: { recipeId: RecipeId },
  ): Promise<RecipeView> {
    const { summary, newest, successes } = foundOr(await showRecipe(this.#parts.log, recipeId), `recipe ${recipeId}`);
    return {
      ...summary,
      recipe: await keptRecipe(this.#parts.store.content, summary.digest),
      current: newest && summary.stale === null,
      successes,
      converged: summary.stale === null && successes >= SUCCESSES_TO_CONVERGE,
    };
  }
}
