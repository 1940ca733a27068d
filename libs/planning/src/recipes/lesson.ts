import { RECIPE_LENGTH_MAX, type Recipe, type RecipeUnit, type RecipeUse, type TrustLevel } from '@delta-ci/contracts';
import { PLANNING_RULES_VERSION } from '../assemble-plan.ts';
import type { Member } from '../construction/assignments.ts';
import type { Unit, UnitCommand } from '../model.ts';
import { isSameValue } from '../parsed-values.ts';
import { byText } from '../tree-paths.ts';
import type { AppliedRecipe } from './apply-recipe.ts';
import { describeUnit, isSetUpAlike } from './described.ts';
import type { RecipeInput } from './recipe-input.ts';

/**
 * What recipes have to do with a plan: the one it follows, the one that is stale, and the one that its success would
 * prove.
 * @param ran the members of all jobs that run, and whatever is built for them; some more than once
 */
export function recipeUseOf(
  { fingerprint, latest }: RecipeInput,
  { used }: AppliedRecipe,
  ran: readonly Member[],
  trust: TrustLevel,
): RecipeUse {
  const reference = latest === null ? null : referenceOf(latest);
  return {
    fingerprint,
    used: used === null ? null : reference,
    stale: reference === null || !latest?.stale ? null : { ...reference, ...latest.stale },
    // What a stranger's change does proves nothing to others.
    teaches: trust === 'trusted' ? lessonOf(latest, used?.recipe ?? null, ran) : null,
  };
}

function referenceOf({ recipeId, version, digest, learnedAt }: NonNullable<RecipeInput['latest']>) {
  return { recipeId, version, digest, learnedAt };
}

/** The recipe that is followed with what would be proven besides; null when that is nothing, or more than is kept. */
function lessonOf(latest: RecipeInput['latest'], known: Recipe | null, ran: readonly Member[]): RecipeUse['teaches'] {
  const units = new Map((known?.units ?? []).map((unit) => [unit.id, unit]));
  let news = false;
  for (const [unit, members] of Map.groupBy(ran, (member) => member.unit)) {
    const before = units.get(unit.id);
    const after = added(before, provenOf(unit, members));
    if (isSameValue(before, after)) continue;
    units.set(unit.id, after);
    news = true;
  }
  if (!news || isTornBetween(latest, units)) return null;
  const recipe: Recipe = { version: 1, units: [...units.values()].sort((one, other) => byText(one.id, other.id)) };
  if (JSON.stringify(recipe).length > RECIPE_LENGTH_MAX) return null;
  // Whoever adds to a recipe keeps most of it: it is as old as its oldest part.
  const rules = known === null ? PLANNING_RULES_VERSION : (latest?.rules ?? PLANNING_RULES_VERSION);
  return { version: (latest?.version ?? 0) + 1, rules, recipe };
}

/**
 * As many versions as a recipe may have before one that takes something back is no news any more: where branches with the same
 * manifests are described otherwise, for what their sources or listings say, each success would turn it round for ever.
 */
const VERSIONS_TO_TURN_MAX = 50;

/** Whether many versions were learned, and what would be taught lacks something of the newest that works. */
function isTornBetween(latest: RecipeInput['latest'], units: ReadonlyMap<string, RecipeUnit>): boolean {
  if (latest === null || latest.recipe === null || latest.version < VERSIONS_TO_TURN_MAX) return false;
  return !latest.recipe.units.every((known) => {
    const taught = units.get(known.id);
    return taught !== undefined && isSetUpAlike(taught, known) && known.commands.every((each) => has(taught, each));
  });
}

function has({ commands }: RecipeUnit, wanted: RecipeUnit['commands'][number]): boolean {
  return commands.some((each) => isSameValue(each, wanted));
}

/** What was built for others may have run more than once. */
function provenOf(unit: Unit, members: readonly Member[]): RecipeUnit {
  return describeUnit(unit, [...new Set(members.map(({ command }) => command))]);
}

/** What was known of a unit and is proven again stays as it is, so that recipes only grow while a unit is set up alike. */
function added(known: RecipeUnit | undefined, proven: RecipeUnit): RecipeUnit {
  if (known === undefined || !isSetUpAlike(known, proven)) return proven;
  const commands = new Map(known.commands.map((command) => [command.kind, command]));
  for (const command of proven.commands) commands.set(command.kind, command);
  return { ...known, commands: [...commands.values()].sort((one, other) => byText(one.kind, other.kind)) };
}

/** Whether a command of a member is the recipe's, and discovery would run something else or nothing. */
export const isOtherwiseByRecipe = ({ command }: { readonly command: UnitCommand }): boolean =>
  command.fromRecipe === 'otherwise' || command.fromRecipe === 'not-found';

/** Whether a command of a member is the recipe's. */
export const isFromRecipe = ({ command }: { readonly command: UnitCommand }): boolean =>
  command.fromRecipe !== undefined;
