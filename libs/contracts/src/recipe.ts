import { z } from 'zod';
import { Digest, RunId } from './ids.ts';
import { JobKind, JobStep } from './job-step.ts';

/**
 * Recipes: descriptions of how a repository builds that are known to have worked. A recipe is content: immutable, and
 * known by the SHA-256 of its canonical JSON. When and from which run it was learned stands in the log.
 */

/** One command of a unit that ran and succeeded. Texts are as long as the repository made them; the whole is bounded. */
export const RecipeCommand = z.strictObject({
  kind: JobKind,
  step: JobStep,
  /** Where the command is written, for instance `scripts.test of packages/cart/package.json`. */
  evidence: z.string(),
  /** Everything the command line is known to run. */
  text: z.string(),
  /** Globs from the repository's root: reports of test results, and what else is kept. */
  reports: z.array(z.string()),
  outputs: z.array(z.string()),
  /** How it is run together with commands of other units; null for a job of its own. */
  joins: z
    .strictObject({ group: z.string(), prefix: z.string(), argument: z.string(), whole: z.string().nullable() })
    .nullable(),
  /** Steps of its own before it; absent for none. */
  before: z.array(JobStep).max(10).optional(),
});
export type RecipeCommand = z.infer<typeof RecipeCommand>;

export const RecipeUnit = z.strictObject({
  id: z.string(),
  name: z.string(),
  root: z.string(),
  ecosystem: z.string(),
  manifest: z.string(),
  /** Steps that bring in packages, in order. */
  install: z.array(JobStep),
  /** Hosts they reach. */
  hosts: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  toolchain: z.strictObject({ name: z.string(), version: z.string(), evidence: z.string() }).nullable(),
  /** Units whose build runs before its commands, in order. */
  buildsFirst: z.array(z.string()),
  /** Whether its own build runs before its tests and type checks. */
  buildBeforeTest: z.boolean(),
  caches: z.array(
    z.strictObject({
      type: z.enum(['deps', 'build']),
      name: z.string(),
      paths: z.array(z.string()),
      keyFiles: z.array(z.string()),
    }),
  ),
  /** At most one of each kind. */
  commands: z.array(RecipeCommand).min(1),
});
export type RecipeUnit = z.infer<typeof RecipeUnit>;

/** Units in the order of their ids, each with the commands that were seen to succeed. */
export const Recipe = z.strictObject({ version: z.literal(1), units: z.array(RecipeUnit).min(1).max(50_000) });
export type Recipe = z.infer<typeof Recipe>;

/** Characters of the longest recipe that is kept: some ten thousand commands. A larger one is worth less than it weighs. */
export const RECIPE_LENGTH_MAX = 4 * 1_024 ** 2;

/** `rcp_` and the number of the run that taught it: a run teaches one recipe at most. */
export const RecipeId = z.string().regex(/^rcp_[0-9a-f]{32}$/, 'expected rcp_ followed by 32 hexadecimal digits');
export type RecipeId = z.infer<typeof RecipeId>;

export const recipeIdOf = (taughtBy: RunId): RecipeId => taughtBy.replace(/^run_/, 'rcp_');
/** The run that taught a recipe. */
export const runOfRecipe = (recipeId: RecipeId): RunId => recipeId.replace(/^rcp_/, 'run_');

/** Counts the recipes under one fingerprint, from 1. */
export const RecipeVersion = z.number().int().min(1).max(1_000_000);

export const RulesVersion = z.string().min(1).max(50);

/** Names a recipe where its content is of no interest. */
export const RecipeReference = z.strictObject({
  recipeId: RecipeId,
  version: RecipeVersion,
  digest: Digest,
  learnedAt: z.iso.datetime(),
});
export type RecipeReference = z.infer<typeof RecipeReference>;

/** What recipes have to do with a plan whose commands a configuration file does not name. */
export const RecipeUse = z.strictObject({
  /** Of manifests, workspace definitions and task files, paths included, in the tested tree. */
  fingerprint: Digest,
  /** Whose commands the plan follows; null when there is none under the fingerprint that works. */
  used: RecipeReference.nullable(),
  /** The newest under the fingerprint, when that one is stale. */
  stale: RecipeReference.extend({ staledAt: z.iso.datetime(), reason: z.string().max(500) }).nullable(),
  /** The recipe that is known to work when all jobs of the plan succeed; null when that proves nothing new. */
  teaches: z
    .strictObject({
      version: RecipeVersion,
      /** The version of the planning rules that described it, or the oldest part of it. */
      rules: RulesVersion,
      recipe: Recipe,
    })
    .nullable(),
});
export type RecipeUse = z.infer<typeof RecipeUse>;

/**
 * After as many successful runs of one repository by the same description, under whatever fingerprints, discovery has
 * converged: twice can be chance, and a fourth time says little more.
 */
export const SUCCESSES_TO_CONVERGE = 3;
