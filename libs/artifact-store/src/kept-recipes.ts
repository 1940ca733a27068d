import { canonicalJson, Recipe, RECIPE_LENGTH_MAX, type Digest } from '@delta-ci/contracts';
import type { ContentStore } from './artifact-store.ts';
import { digestOf } from './measured-bytes.ts';
import { StoreError } from './store-error.ts';

/** In UTF-8, in which a character takes three bytes at most, and six where it is escaped. */
const RECIPE_BYTES_MAX = 6 * RECIPE_LENGTH_MAX;

/** Keeps a recipe under the digest of its canonical text. Repeating it changes nothing. */
export async function keepRecipe(content: ContentStore, recipe: Recipe): Promise<Digest> {
  const text = new TextEncoder().encode(canonicalJson(recipe));
  return (await content.put(text, { expected: digestOf(text), sizeBytesMax: RECIPE_BYTES_MAX })).digest;
}

/**
 * A recipe that was kept; null when it is gone, or of a shape that this release does not know.
 * @throws StoreError `digest_mismatch` when the disk lies
 */
export async function keptRecipe(content: ContentStore, digest: Digest): Promise<Recipe | null> {
  try {
    const body = await content.read(digest, RECIPE_BYTES_MAX);
    return Recipe.safeParse(JSON.parse(Buffer.from(body).toString('utf8'))).data ?? null;
  } catch (error) {
    if (error instanceof StoreError && error.code === 'not_found') return null;
    throw error;
  }
}
