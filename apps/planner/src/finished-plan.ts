import { Plan, type RecipeUse, type RepositoryId, type TrustLevel } from '@delta-ci/contracts';
import { departsFromDiscovery, followsRecipe } from '@delta-ci/planning';

/** What the end of a run asks of its plan. */
export interface FinishedPlan {
  readonly repositoryId: RepositoryId;
  readonly trust: TrustLevel;
  readonly recipe: RecipeUse | undefined;
  /** Keys of the jobs that follow the recipe. */
  readonly following: readonly string[];
  /** Those of them that discovery would do otherwise. */
  readonly otherwise: readonly string[];
}

/** A plan by its canonical text in UTF-8; null when it is not of a shape that this version knows. */
export function parsePlan(text: Uint8Array): Plan | null {
  const parsed = Plan.safeParse(JSON.parse(new TextDecoder().decode(text)));
  return parsed.success ? parsed.data : null;
}

export function finishedPlan(text: Uint8Array): FinishedPlan | null {
  const plan = parsePlan(text);
  if (plan === null) return null;
  const { repository, trust, source, jobs } = plan;
  const following = jobs.filter(followsRecipe);
  return {
    repositoryId: repository.id,
    trust,
    recipe: source.recipe,
    following: following.map(({ key }) => key),
    otherwise: following.filter(departsFromDiscovery).map(({ key }) => key),
  };
}
