import { runOfRecipe, type ExplanationLink, type PlannedJob, type RecipeReference } from '@delta-ci/contracts';
import { listed } from '../impact/world.ts';
import type { AppliedRecipe } from './apply-recipe.ts';
import type { RecipeInput } from './recipe-input.ts';

/** What is said about recipes, to people and for programs. */

/** Name of the rule under which a job tells that it follows a recipe. */
const RULE = 'recipe';

/** `recipe rcp_… (version 2, learned 2026-01-31T12:00:00.000Z from run_…)` */
export function namedRecipe({ recipeId, version, learnedAt }: RecipeReference): string {
  return `recipe ${recipeId} (version ${version}, learned ${learnedAt} from ${runOfRecipe(recipeId)})`;
}

/** The link of a job's chain that names the recipe it follows. */
export function recipeLink(recipe: RecipeReference): ExplanationLink {
  return { kind: 'job-rule', rule: RULE, detail: `${namedRecipe(recipe)} says what it runs` };
}

/** Name of the rule under which a job tells that discovery would not run what its recipe says. */
const OTHERWISE = 'not as discovered';

/** The link of a job's chain behind that of its recipe, where discovery would do otherwise by now. */
export const OTHERWISE_LINK: ExplanationLink = {
  kind: 'job-rule',
  rule: OTHERWISE,
  detail: 'discovery would run something else by now; should the job fail, its recipe is given up',
};

/** Whether a planned job follows a recipe that discovery does not bear out any more. */
export function departsFromDiscovery({ explanation }: Pick<PlannedJob, 'explanation'>): boolean {
  return explanation.chain.some((link) => link.kind === 'job-rule' && link.rule === OTHERWISE);
}

/** Whether a planned job follows a recipe. */
export function followsRecipe({ explanation }: Pick<PlannedJob, 'explanation'>): boolean {
  return explanation.chain.some((link) => link.kind === 'job-rule' && link.rule === RULE);
}

/** Which recipe a plan follows, since when and why; or why none. `found`: what discovery says of itself. */
export function sourceEvidence(found: string, input: RecipeInput | null, applied: AppliedRecipe): string {
  if (input === null) return found;
  const { latest, fingerprint } = input;
  const { used, followed, commands, departed } = applied;
  const files = `manifests, workspace definitions and task files (fingerprint ${fingerprint.slice(0, 'sha256:'.length + 12)})`;
  if (latest === null) return `${found}; no recipe is known for these ${files}`;
  if (used !== null) {
    const others = followed === commands ? '' : `; ${followed} of ${commands} commands are its, the rest as discovered`;
    return `${namedRecipe(used)}, because the tested tree has the same ${files}${others}${departedText(departed)}; ${found}`;
  }
  return `${found}; ${notFollowed(latest, departed)}`;
}

function departedText(departed: readonly string[]): string {
  return departed.length === 0 ? '' : `; not for ${listed(departed, 5)}, which discovery describes otherwise now`;
}

function notFollowed(latest: NonNullable<RecipeInput['latest']>, departed: readonly string[]): string {
  const named = namedRecipe(latest);
  if (latest.stale !== null) return `${named} is stale since ${latest.stale.staledAt}: ${latest.stale.reason}`;
  if (latest.recipe === null) return `${named} is no longer kept`;
  if (departed.length > 0) return `${named} is not followed: discovery describes ${listed(departed, 5)} otherwise now`;
  return `${named} describes none of the units`;
}

/** One sentence for the summary of a plan; empty where there is nothing to say. */
export function recipeSentence(input: RecipeInput | null, { used, followed, commands }: AppliedRecipe): string {
  const latest = input?.latest ?? null;
  if (used !== null) {
    const which = followed === commands ? 'All commands' : `${followed} of ${commands} commands`;
    return ` ${which} of the repository are those of ${namedRecipe(used)}.`;
  }
  if (latest?.stale === null || latest === null) return '';
  return ` All commands were discovered again, because ${notFollowed(latest, [])}.`;
}
