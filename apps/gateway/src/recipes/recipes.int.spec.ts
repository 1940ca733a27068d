import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileArtifactStore, keepRecipe } from '@delta-ci/artifact-store';
import { RecipePage, RecipeView, recipeIdOf, repositoryStream, type Recipe } from '@delta-ci/contracts';
import { aRecipe } from '../../../../test/support/made-up/recipe.ts';
import { testGateway, type TestGateway } from '../gateway.fixture.ts';

const REPOSITORY = 'github/demo/shop';
const FINGERPRINT = `sha256:${'f'.repeat(64)}`;
const runOf = (number: number): string => `run_${String(number).repeat(32)}`;

describe('recipes in the public API', () => {
  let gateway: TestGateway;
  const recipe: Recipe = aRecipe();

  async function learn(number: number, recipeDigest: string, fingerprint = FINGERPRINT): Promise<string> {
    const recipeId = recipeIdOf(runOf(number));
    const by = { runId: runOf(number), planDigest: `sha256:${'a'.repeat(64)}`, rules: '8' };
    const data = { repository: REPOSITORY, fingerprint, recipeId, version: number, recipeDigest, ...by };
    await gateway.append(repositoryStream(REPOSITORY), [{ type: 'recipe.learned', data }]);
    return recipeId;
  }

  let [stale, newest, lost] = ['', '', ''];
  beforeAll(async () => {
    gateway = await testGateway();
    const { content } = new FileArtifactStore(gateway.artifactDir);
    const digest = await keepRecipe(content, recipe);
    stale = await learn(1, digest);
    const by = { repository: REPOSITORY, fingerprint: FINGERPRINT, recipeId: stale, runId: runOf(5) };
    const data = { ...by, planDigest: `sha256:${'b'.repeat(64)}`, reason: 'test-cart: no such command' };
    await gateway.append(repositoryStream(REPOSITORY), [{ type: 'recipe.staled', data }]);
    await learn(2, digest);
    newest = await learn(3, digest);
    lost = await learn(4, `sha256:${'e'.repeat(64)}`, `sha256:${'d'.repeat(64)}`);
  });
  afterAll(async () => gateway.end());

  const ask = async (path: string, token = gateway.adminToken) => {
    const response = await gateway.call(`/api/v1${path}`, { token });
    return { status: response.status, body: (await response.json()) as unknown };
  };

  it('given recipes, when they are listed, then the newest are first, and the stale one says what it failed', async () => {
    const { recipes, nextCursor } = RecipePage.parse((await ask('/recipes?limit=3')).body);
    expect(recipes.map(({ recipeId }) => recipeId)).toEqual([lost, newest, recipeIdOf(runOf(2))]);
    const rest = RecipePage.parse((await ask(`/recipes?cursor=${nextCursor ?? ''}`)).body);
    expect(rest.recipes).toMatchObject([{ recipeId: stale, stale: { failedIn: runOf(5) } }]);
    const none = RecipePage.parse((await ask('/recipes?repository=github%2Fdemo%2Fother')).body);
    expect(none.recipes).toEqual([]);
  });

  it('given a recipe, when it is shown, then its commands are, and whether it counts, and has led to success often enough', async () => {
    const shown = RecipeView.parse((await ask(`/recipes/${newest}`)).body);
    expect(shown).toMatchObject({ recipe, current: true, successes: 3, converged: true, learnedFrom: runOf(3) });
    const old = RecipeView.parse((await ask(`/recipes/${stale}`)).body);
    expect(old).toMatchObject({ current: false, converged: false, stale: { reason: 'test-cart: no such command' } });
    const gone = RecipeView.parse((await ask(`/recipes/${lost}`)).body);
    expect(gone).toMatchObject({ recipe: null, successes: 1, converged: false });
  });

  it.each([
    ['/recipes?cursor=nonsense', 400],
    ['/recipes/nonsense', 400],
    [`/recipes/${recipeIdOf(runOf(9))}`, 404],
  ])('given %s, when it is asked for, then it is refused', async (path, status) => {
    expect((await ask(path)).status).toBe(status);
  });

  it('given nobody in particular, when recipes are asked for, then they are not told', async () => {
    expect((await ask('/recipes', 'not-a-token')).status).toBe(401);
  });
});
