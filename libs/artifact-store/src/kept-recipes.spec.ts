import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@delta-ci/contracts';
import { aRecipe } from '../../../test/support/made-up/recipe.ts';
import { ContentFiles } from './content-files.ts';
import { keepRecipe, keptRecipe } from './kept-recipes.ts';
import { digestOf } from './measured-bytes.ts';

const RECIPE = aRecipe();

describe('recipes in the store', () => {
  let directory = '';
  let content: ContentFiles;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-recipes-'));
    content = new ContentFiles(directory);
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  it('given a recipe, when it is kept twice, then it is there once, under the digest of its canonical text', async () => {
    const digest = await keepRecipe(content, RECIPE);
    expect(digest).toBe(digestOf(canonicalJson(RECIPE)));
    expect(await keepRecipe(content, RECIPE)).toBe(digest);
    expect(await keptRecipe(content, digest)).toEqual(RECIPE);
  });

  it('given a digest under which nothing is kept, or something else, then there is no recipe', async () => {
    expect(await keptRecipe(content, digestOf('gone'))).toBeNull();
    const text = '{"version":2}';
    const other = await content.put(Buffer.from(text), { expected: digestOf(text), sizeBytesMax: 100 });
    expect(await keptRecipe(content, other.digest)).toBeNull();
  });
});
