import { SUCCESSES_TO_CONVERGE, type RecipeSummary, type RecipeView } from '@delta-ci/contracts';
import { configOfRecipe } from '@delta-ci/planning';
import { gatewayFor } from '../api/gateway.ts';
import { newFilePatch } from '../new-file-patch.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine, safeText } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { ageText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

/** Where a configuration file lies, from the root of a repository. */
const CONFIG_FILE = 'delta.yaml';

export interface RecipeListOptions extends ApiOptions {
  readonly repository?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** `delta recipes list` */
export async function listRecipes(surroundings: Surroundings, options: RecipeListOptions): Promise<ExitCode> {
  const { repository, limit, cursor } = options;
  const page = await (await gatewayFor(surroundings, options)).listRecipes({ repository, limit, cursor });
  if (options.json === true) {
    printJson(surroundings, page);
    return EXIT.succeeded;
  }
  const { paint } = surroundings;
  const now = surroundings.nowMs();
  const rows = page.recipes.map((recipe) => [
    recipe.recipeId,
    { text: stateOf(recipe), paint: recipe.stale === null ? paint.green : paint.dim },
    String(recipe.version),
    shortDigest(recipe.fingerprint),
    shortDigest(recipe.digest),
    ageText(recipe.learnedAtMs, now),
    recipe.repository,
  ]);
  const headings = ['RECIPE', 'STATE', 'VERSION', 'FINGERPRINT', 'DESCRIPTION', 'LEARNED', 'REPOSITORY'];
  surroundings.out(
    rows.length === 0
      ? 'no recipes: the first successful run of a trusted change teaches one\n'
      : table(surroundings, headings, rows),
  );
  if (page.nextCursor !== null) surroundings.out(`\nmore: delta recipes list --cursor ${safeLine(page.nextCursor)}\n`);
  return EXIT.succeeded;
}

/** `delta recipes show` */
export async function showRecipe(surroundings: Surroundings, recipeId: string, options: ApiOptions): Promise<ExitCode> {
  const view = await (await gatewayFor(surroundings, options)).recipe(recipeId);
  if (options.json === true) printJson(surroundings, view);
  else surroundings.out(recipeText(surroundings, view));
  return EXIT.succeeded;
}

export interface RecipePatchOptions extends ApiOptions {
  /** The file itself instead of a patch that adds it. */
  readonly file?: boolean;
  /** Also from a recipe that has not led to success often enough. */
  readonly early?: boolean;
}

/** `delta recipes patch`: what would add a configuration file that says what the recipe does. Nothing is written. */
export async function patchFromRecipe(
  surroundings: Surroundings,
  recipeId: string,
  options: RecipePatchOptions,
): Promise<ExitCode> {
  const view = await (await gatewayFor(surroundings, options)).recipe(recipeId);
  const text = configText(view, options.early === true);
  const patch = newFilePatch(CONFIG_FILE, text);
  if (options.json === true) printJson(surroundings, { recipeId, path: CONFIG_FILE, text, patch });
  else surroundings.out(asWritten(surroundings, options.file === true ? text : patch));
  return EXIT.succeeded;
}

/** Byte for byte for programs; for eyes, without what a terminal would obey. */
const asWritten = ({ columns }: Surroundings, text: string): string => (columns === null ? text : safeText(text));

/** @throws Problem that says why there is none */
function configText(view: RecipeView, early: boolean): string {
  const { recipeId, version, recipe, stale, converged, successes } = view;
  if (stale !== null) {
    throw new Problem('stale_recipe', `recipe ${recipeId} is stale: ${safeLine(stale.reason)}`, {
      next: 'take a newer one: delta recipes list',
    });
  }
  if (recipe === null) throw new Problem('recipe_lost', `the artifact store has recipe ${recipeId} no more`);
  if (!converged && !early) {
    const said = `recipe ${recipeId} led to success in ${plural(successes, 'run')}; a file is offered after ${SUCCESSES_TO_CONVERGE}`;
    throw new Problem('not_converged', said, { next: 'wait for more runs, or see it all the same with --early' });
  }
  const config = configOfRecipe(recipe, [
    `How this repository was seen to build and test (${recipeId}, version ${version}; ${plural(successes, 'successful run')}).`,
    'Every job runs for every change; narrow one with `paths` where you know what concerns it.',
  ]);
  if (config.ok) return config.text;
  throw new Problem(
    'no_config_file',
    `recipe ${recipeId} cannot be written as a ${CONFIG_FILE}: ${safeLine(config.problem)}`,
  );
}

const stateOf = ({ stale }: RecipeSummary): string => (stale === null ? 'works' : 'stale');

const shortDigest = (digest: string): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);

function recipeText(surroundings: Surroundings, view: RecipeView): string {
  const { paint } = surroundings;
  const { recipeId, version, repository, learnedFrom, learnedAtMs, stale, current, successes, fingerprint } = view;
  const head = [
    `${paint.bold(recipeId)} ${stale === null ? paint.green('works') : paint.red('stale')}, version ${version} for ${safeLine(repository)}`,
    `fingerprint ${fingerprint}`,
    `description ${view.digest}, by version ${safeLine(view.rules)} of the planning rules`,
    `learned ${new Date(learnedAtMs).toISOString()} from ${learnedFrom}; ${plural(successes, 'successful run')} by this description`,
    stale === null
      ? null
      : `stale since ${new Date(stale.staledAtMs).toISOString()}, ${stale.failedIn}: ${safeLine(stale.reason)}`,
    stale === null && !current ? 'a newer one takes its place' : null,
  ].filter((line) => line !== null);
  const offer =
    view.converged && current ? `\nas a ${CONFIG_FILE}, ready for git apply: delta recipes patch ${recipeId}\n` : '';
  return `${head.join('\n')}\n\n${commandsText(surroundings, view)}${offer}`;
}

function commandsText(surroundings: Surroundings, { recipe }: RecipeView): string {
  if (recipe === null) return 'the artifact store has it no more\n';
  const rows = recipe.units.flatMap((unit) => [
    ...unit.install.map(({ workdir, run }) => [unit.id, 'install', workdir, run]),
    ...unit.commands.map(({ kind, step, joins }) => [
      unit.id,
      kind,
      step.workdir,
      joins === null ? step.run : `${joins.prefix} ${joins.argument}`,
    ]),
  ]);
  return table(surroundings, ['UNIT', 'WHAT', 'IN', 'COMMAND'], rows);
}
