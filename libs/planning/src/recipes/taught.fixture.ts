import type { Plan, Recipe } from '@delta-ci/contracts';
import { textsIn } from '../../../../test/support/made-up/texts-in.ts';
import { PLANNING_RULES_VERSION } from '../assemble-plan.ts';
import { filesOfTree } from '../detectors/trees/tree-text.fixture.ts';
import { planChange } from '../plan-change.ts';
import { inputsFor, planned, snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { fingerprintText } from './fingerprint.ts';
import type { LatestRecipe, RecipeInput } from './recipe-input.ts';

/** Repositories and what their successful runs teach. */

export const TAUGHT_BY = `run_${'7'.repeat(32)}`;
const LEARNED_AT = '2026-01-02T03:04:05.678Z';

/** A fingerprint in place of a digest: what is hashed is for other specs. */
export const FINGERPRINT = `sha256:${'f'.repeat(64)}`;
export const NOTHING_KNOWN: RecipeInput = { fingerprint: FINGERPRINT, latest: null };

export function taughtBy(plan: Plan): Recipe {
  const recipe = plan.source.recipe?.teaches?.recipe;
  if (recipe === undefined) throw new Error('the plan teaches nothing');
  return recipe;
}

/** The recipe that a run of everything teaches. */
export const recipeOf = (files: Files): Recipe => taughtBy(planned(null, files, { recipe: NOTHING_KNOWN }));

export function knowing(recipe: Recipe | null, more: Partial<LatestRecipe> = {}): RecipeInput {
  const latest: LatestRecipe = {
    recipeId: TAUGHT_BY.replace('run_', 'rcp_'),
    version: 1,
    digest: `sha256:${'d'.repeat(64)}`,
    learnedAt: LEARNED_AT,
    rules: PLANNING_RULES_VERSION,
    stale: null,
    recipe,
    ...more,
  };
  return { fingerprint: FINGERPRINT, latest };
}

export const fingerprintOf = (files: Files): string => fingerprintText(snapshotOf(files));

/** The realistic trees of discovery by name. */
export const REALISTIC_TREES: readonly (readonly [name: string, files: Files])[] = textsIn(
  new URL('../detectors/trees/', import.meta.url),
  '.tree.txt',
).map(([name, text]) => [name, filesOfTree(text)]);

/** Those in which there is something to run. */
export const RUNNABLE_TREES = REALISTIC_TREES.filter(([, files]) => planChange(inputsFor(null, files)).ok);
