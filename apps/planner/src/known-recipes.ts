import { digestOf, keptRecipe, type ArtifactStore } from '@delta-ci/artifact-store';
import type { Digest, Recipe, RepositoryId } from '@delta-ci/contracts';
import { findLatestRecipe, type LogConnection } from '@delta-ci/event-log';
import { fingerprintText, type LatestRecipe, type RecipeInput, type RepositorySnapshot } from '@delta-ci/planning';
import { WeightedMemory } from './weighted-memory.ts';

/** Where recipes are: who learned which, in the log; what they hold, in the artifact store, or read already. */
export interface RecipePlaces {
  readonly log: LogConnection;
  readonly store: ArtifactStore;
  readonly recipes: RecipeMemory;
}

/** Text of recipes that are remembered; as objects they take a few times as much. */
const LENGTH_MAX = 16 * 1_024 ** 2;

/** The last recipes that were read. What lies under a digest never changes. */
export class RecipeMemory {
  readonly #recipes = new WeightedMemory<Recipe>(LENGTH_MAX);

  async read({ content }: ArtifactStore, digest: Digest): Promise<Recipe | null> {
    const remembered = this.#recipes.take(digest);
    if (remembered !== null) return remembered;
    const recipe = await keptRecipe(content, digest);
    if (recipe !== null) this.#recipes.keep(digest, recipe, JSON.stringify(recipe).length);
    return recipe;
  }
}

/** What is known of recipes for the tree of a commit. @throws when the log cannot be asked */
export async function recipesFor(
  { log, store, recipes }: RecipePlaces,
  repository: RepositoryId,
  head: RepositorySnapshot,
): Promise<RecipeInput> {
  const fingerprint = fingerprintOf(head);
  const found = await findLatestRecipe(log, repository, fingerprint);
  if (found === null) return { fingerprint, latest: null };
  const { recipeId, version, digest, rules, learnedAtMs, stale } = found;
  const latest: LatestRecipe = {
    recipeId,
    version,
    digest,
    rules,
    learnedAt: timeOf(learnedAtMs),
    stale: stale === null ? null : { staledAt: timeOf(stale.staledAtMs), reason: stale.reason },
    recipe: stale === null ? await recipes.read(store, digest) : null,
  };
  return { fingerprint, latest };
}

/** Snapshots are remembered, and those of large repositories have many entries. */
const FINGERPRINTS = new WeakMap<RepositorySnapshot, Digest>();

function fingerprintOf(snapshot: RepositorySnapshot): Digest {
  const known = FINGERPRINTS.get(snapshot);
  if (known !== undefined) return known;
  const fingerprint = digestOf(fingerprintText(snapshot));
  FINGERPRINTS.set(snapshot, fingerprint);
  return fingerprint;
}

const timeOf = (epochMs: number): string => new Date(epochMs).toISOString();
