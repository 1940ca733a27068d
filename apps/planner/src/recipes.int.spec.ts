import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { keptRecipe } from '@delta-ci/artifact-store';
import { recipeIdOf, type Plan } from '@delta-ci/contracts';
import { SHOP_REPOSITORY, SOUND_CHANGE } from '../../../tools/start/demo/shop-repository.ts';
import { RunningPlanner, type RecipeReport } from './running-planner.fixture.ts';

const REPOSITORY = 'github/demo/shop';

/** From a plan by discovery to one by a recipe and back, with a real log, bus and repository. */
describe('a planner and recipes', () => {
  let planner: RunningPlanner;
  let first: string;
  let second: string;

  beforeAll(async () => {
    planner = await RunningPlanner.start();
    first = (await planner.developer.push('main', 'shop', SHOP_REPOSITORY)).after;
    second = (await planner.developer.push('main', SOUND_CHANGE.message, SOUND_CHANGE.files)).after;
  });
  afterAll(async () => planner.stop());

  const planOf = async (...of: Parameters<RunningPlanner['create']>): Promise<Plan> => {
    const report = await planner.reportOn(await planner.create(...of));
    if (report.kind !== 'planner.plan-proposed' || report.data.plan === null) throw new Error(report.kind);
    return report.data.plan;
  };
  const runIdOf = (run: number): string => `run_${run.toString(16).padStart(32, '0')}`;

  /** Does what the orchestrator does with a proof. */
  async function learn({ kind, data }: RecipeReport): Promise<string> {
    if (kind !== 'planner.recipe-proved') throw new Error(kind);
    const recipeId = recipeIdOf(data.runId);
    await planner.record({ type: 'recipe.learned', data: { ...data, repository: REPOSITORY, recipeId } });
    return recipeId;
  }

  it('given a first run, when it succeeds, then what it ran by is kept and reported, and the next plan follows it and says so', async () => {
    const before = await planOf(1, { head: first });
    expect(before.source).toMatchObject({ kind: 'discovery', recipe: { used: null, teaches: { version: 1 } } });
    await planner.finish(runIdOf(1), 'succeeded');
    const report = await planner.recipeReportOn(runIdOf(1));
    if (report.kind !== 'planner.recipe-proved') throw new Error(report.kind);
    expect(await keptRecipe(planner.store.content, report.data.recipeDigest)).toEqual(
      before.source.recipe?.teaches?.recipe,
    );
    const recipeId = await learn(report);

    const after = await planOf(2, { base: first, head: second });
    expect(after.source).toMatchObject({ kind: 'recipe', recipe: { used: { recipeId, version: 1 }, teaches: null } });
    expect(after.jobs.map(({ key }) => key)).toEqual(['test-packages-cart', 'test-packages-money']);
    expect(after.jobs[0]?.explanation.sentence).toContain(`Recipe ${recipeId} (version 1, learned `);
  });

  it('given a run by a recipe, when it fails, then the recipe is in doubt; when it succeeds, then nothing is said', async () => {
    await planOf(3, { base: first, head: second });
    await planner.finish(runIdOf(3), 'succeeded');
    const { jobs } = await planOf(4, { base: first, head: second });
    await planner.finish(runIdOf(4), 'failed');
    const report = await planner.recipeReportOn(runIdOf(4));
    expect(report).toMatchObject({
      kind: 'planner.recipe-failed',
      data: { recipeId: recipeIdOf(runIdOf(1)), jobs: jobs.map(({ key }) => key) },
    });
    expect(planner.recipeReports.map(({ data }) => data.runId)).not.toContain(runIdOf(3));
  });

  it('given a recipe that is stale, when a run is planned, then it is discovered again and would teach the next version', async () => {
    const [report] = planner.recipeReports;
    if (report === undefined) throw new Error('nothing was reported');
    const { fingerprint, planDigest } = report.data;
    const data = {
      repository: REPOSITORY,
      fingerprint,
      recipeId: recipeIdOf(runIdOf(1)),
      runId: runIdOf(4),
      planDigest,
    };
    await planner.record({ type: 'recipe.staled', data: { ...data, reason: 'test-packages-cart: no such command' } });
    const { source } = await planOf(5, { base: first, head: second });
    expect(source).toMatchObject({ kind: 'discovery', recipe: { used: null, teaches: { version: 2 } } });
    expect(source.evidence).toContain('is stale since');
  });

  it('given a change of strangers, when it is planned, then its success would teach nothing', async () => {
    const { source } = await planOf(6, { head: first, trust: 'untrusted' });
    expect(source.recipe).toMatchObject({ teaches: null });
  });

  it('given another manifest, when it is planned, then no recipe is known for it', async () => {
    const manifest = SHOP_REPOSITORY['package.json']?.replace('>=20', '>=22') ?? '';
    const pushed = await planner.developer.push('main', 'another manifest', { 'package.json': manifest });
    const { source } = await planOf(7, { base: second, head: pushed.after });
    expect(source.recipe).toMatchObject({ used: null, stale: null, teaches: { version: 1 } });
    expect(source.evidence).toContain('no recipe is known');
  });
});
