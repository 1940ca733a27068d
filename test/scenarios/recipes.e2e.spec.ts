import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runOfRecipe, type Plan } from '@delta-ci/contracts';
import { eventually } from '../support/infra/index.ts';
import { startTestMesh, type TestMesh } from '../support/mesh/index.ts';

const REPOSITORY = 'demo/taught';

/** The script stands in a file of its own, so that what it does can change while every manifest stays as it is. */
const FILES = {
  'package.json': `${JSON.stringify({ name: 'taught', private: true, scripts: { test: 'sh ./check.sh' } }, null, 2)}\n`,
  'check.sh': 'echo tested\n',
};

interface KnownRecipe {
  readonly recipe_id: string;
  readonly version: number;
  readonly stale: boolean;
}

/** From a first success to a plan by what it taught, to a failure by it, and back to discovery. */
describe('a repository and its recipes', () => {
  let system: TestMesh;
  beforeAll(async () => {
    system = await startTestMesh({ repositories: [REPOSITORY] });
  }, 120_000);
  afterAll(async () => system.finish(), 120_000);

  const known = async (): Promise<KnownRecipe[]> =>
    system.ask<KnownRecipe>(
      `SELECT recipe_id, version, EXISTS (SELECT FROM recipe_failure f WHERE f.recipe_id = r.recipe_id) AS stale
       FROM recipe r WHERE repository_id LIKE $1 ORDER BY version`,
      [`%/${REPOSITORY}`],
    );
  const recipe = (what: string, holds: (recipe: KnownRecipe) => boolean): Promise<KnownRecipe> =>
    eventually(what, async () => (await known()).find(holds));
  async function pushed(
    message: string,
    files: Readonly<Record<string, string>>,
  ): Promise<{ runId: string; outcome: string | null; plan: Plan }> {
    const { runId } = await system.change(REPOSITORY, message, files);
    const { outcome } = await system.settled(runId);
    return { runId, outcome, plan: (await system.api.plan(runId)).plan };
  }

  it('given a first success, when the next change comes, then it runs by the recipe that was learned, and says so', async () => {
    const first = await pushed('a package', FILES);
    expect(first).toMatchObject({ outcome: 'succeeded', plan: { source: { kind: 'discovery' } } });
    const { recipe_id } = await recipe('a first recipe', ({ version }) => version === 1);
    expect(runOfRecipe(recipe_id)).toBe(first.runId);

    const second = await pushed('a louder check', { 'check.sh': 'echo tested again\n' });
    expect(second).toMatchObject({ outcome: 'succeeded', plan: { source: { kind: 'recipe' } } });
    expect(second.plan.jobs.map(({ steps }) => steps)).toEqual(first.plan.jobs.map(({ steps }) => steps));
    expect(second.plan.jobs[0]?.explanation.sentence).toContain(`Recipe ${recipe_id} (version 1, learned `);
    expect(second.plan.summary).toContain(first.runId);
    expect(await known()).toHaveLength(1);
  }, 120_000);

  it('given a failing test, when a run by the recipe fails, then the recipe stays; given a missing command, then it is stale', async () => {
    const wrong = await pushed('a failing check', { 'check.sh': 'echo "expected 1, received 2"; exit 1\n' });
    expect(wrong).toMatchObject({ outcome: 'failed', plan: { source: { kind: 'recipe' } } });
    const missing = await pushed('a missing command', { 'check.sh': 'exec there-is-no-such-command\n' });
    expect(missing).toMatchObject({ outcome: 'failed', plan: { source: { kind: 'recipe' } } });
    await recipe('a stale recipe', ({ stale }) => stale);
    const failures = await system.ask<{ failed_in: string }>('SELECT failed_in FROM recipe_failure');
    expect(failures).toEqual([{ failed_in: missing.runId }]);
  }, 120_000);

  it('given a stale recipe, when the next change succeeds, then it was discovered again, said why, and taught the next version', async () => {
    const mended = await pushed('mended', { 'check.sh': 'echo tested\n' });
    expect(mended).toMatchObject({ outcome: 'succeeded', plan: { source: { kind: 'discovery' } } });
    expect(mended.plan.summary).toMatch(
      /All commands were discovered again, because recipe rcp_\w+ .* is stale since .*: test/,
    );
    await recipe('a second version', ({ version }) => version === 2);
    expect(await known()).toMatchObject([
      { version: 1, stale: true },
      { version: 2, stale: false },
    ]);
  }, 120_000);
});
