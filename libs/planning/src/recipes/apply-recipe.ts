import type { RecipeUnit } from '@delta-ci/contracts';
import { PLANNING_RULES_VERSION } from '../assemble-plan.ts';
import type { Discovery, Unit, UnitCommand } from '../model.ts';
import { isRunAlike, isSameCommand, isSetUpAlike } from './described.ts';
import type { LatestRecipe, RecipeInput } from './recipe-input.ts';

/** A discovery with the commands of a recipe in place of its own. */
export interface AppliedRecipe {
  readonly discovery: Discovery;
  /** The recipe that is followed; null when none is. */
  readonly used: LatestRecipe | null;
  /** Commands of the recipe among those of all units, and all. */
  readonly followed: number;
  readonly commands: number;
  /** Units the recipe describes otherwise than discovery does by the same rules. */
  readonly departed: readonly string[];
}

/**
 * Lets the newest recipe, unless it is stale, say how units are set up and what they run. Which units there are, what they
 * read and who needs whom stays as it was discovered in the tested tree.
 *
 * - What discovery finds beyond the recipe is run as well: it was not proven yet, and may find a failure.
 * - What the recipe has and discovery no longer finds, by later rules, is run still: it is known to work.
 * - Where later rules set a unit up otherwise for a command that the recipe does not have, what they say counts: what was
 *   proven may lack what that command needs, and nothing would ever tell the recipe from the failure.
 * - Where discovery describes a unit otherwise by the very rules the recipe was learned by, something that is no part of
 *   the fingerprint has changed, and what is there now counts.
 */
export function withRecipe(found: Discovery, input: RecipeInput | null): AppliedRecipe {
  const latest = input?.latest ?? null;
  const recipe = latest?.stale === null ? latest.recipe : null;
  if (latest === null || recipe === null) return resultOf(found, null, []);
  const known = new Map(recipe.units.map((unit) => [unit.id, unit]));
  const departed: string[] = [];
  const units = found.units.map((unit) => {
    const described = known.get(unit.id);
    if (described === undefined || described.ecosystem !== unit.ecosystem || described.root !== unit.root) return unit;
    const byLaterRules = latest.rules !== PLANNING_RULES_VERSION;
    if (byLaterRules && isProvenFor(unit, described)) return followedByLaterRules(unit, described);
    if (!byLaterRules && agrees(unit, described)) return followed(unit, described);
    departed.push(unit.id);
    return unit;
  });
  return resultOf({ ...found, units }, latest, departed);
}

function resultOf(discovery: Discovery, latest: LatestRecipe | null, departed: readonly string[]): AppliedRecipe {
  const commands = discovery.units.flatMap((unit) => unit.commands);
  const count = commands.filter(({ fromRecipe }) => fromRecipe !== undefined).length;
  return { discovery, used: count > 0 ? latest : null, followed: count, commands: commands.length, departed };
}

/** Whether discovery finds what the recipe has, and perhaps more. */
function agrees(unit: Unit, described: RecipeUnit): boolean {
  if (!isSetUpAlike(unit, described)) return false;
  return described.commands.every((command) => {
    const found = unit.commands.find(({ kind }) => kind === command.kind);
    return found !== undefined && isSameCommand(found, command);
  });
}

function followed(unit: Unit, { commands }: RecipeUnit): Unit {
  const known = new Set(commands.map(({ kind }) => kind));
  return {
    ...unit,
    commands: unit.commands.map((each) => (known.has(each.kind) ? { ...each, fromRecipe: 'found' } : each)),
  };
}

/** Whether how the recipe sets a unit up is known to do for every command that is found. */
function isProvenFor(unit: Unit, described: RecipeUnit): boolean {
  const known = new Set(described.commands.map(({ kind }) => kind));
  return unit.commands.every(({ kind }) => known.has(kind)) || isSetUpAlike(unit, described);
}

function followedByLaterRules(unit: Unit, described: RecipeUnit): Unit {
  const known = new Map(described.commands.map((command) => [command.kind, command]));
  const found = new Set(unit.commands.map(({ kind }) => kind));
  const { install, hosts, env, toolchain, buildBeforeTest, caches } = described;
  const own = unit.commands.map((command): UnitCommand => {
    const proven = known.get(command.kind);
    if (proven === undefined) return command;
    return { ...proven, fromRecipe: isRunAlike(unit, command, described, proven) ? 'found' : 'otherwise' };
  });
  const further = described.commands.filter(({ kind }) => !found.has(kind));
  return {
    ...unit,
    install,
    hosts,
    env,
    toolchain,
    buildBeforeTest,
    caches,
    commands: [...own, ...further.map((command): UnitCommand => ({ ...command, fromRecipe: 'not-found' }))],
  };
}
