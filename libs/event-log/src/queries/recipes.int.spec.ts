import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recipeIdOf, repositoryStream, type DomainEventOf, type Plan, type RunId } from '@delta-ci/contracts';
import type { RunCommand } from '@delta-ci/domain';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import { aJobState } from '../../../../test/support/made-up/planned-job.ts';
import { proposed } from '../../../../test/support/made-up/plan.ts';
import type { LogWriter } from '../append/log-writer.ts';
import { rebuildProjections } from '../rebuild/rebuild-projections.ts';
import { verifyReplay } from '../replay/verify-replay.ts';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { planOf } from '../testing/plan.fixture.ts';
import {
  OPERATOR,
  REPOSITORY,
  createRun,
  digestOf,
  leaseHashOf,
  recordPlan,
  runIdOf,
  runSubmission,
  runnerIdOf,
} from '../testing/run-story.fixture.ts';
import { findOutgrownRecipes } from './find-outgrown-recipes.ts';
import { findLatestRecipe } from './find-latest-recipe.ts';
import { listRecipes } from './list-recipes.ts';
import { showRecipe } from './show-recipe.ts';
import { whichPlanHasTheTrustedRun } from './which-plan-has-the-trusted-run.ts';

type Learned = DomainEventOf<'recipe.learned'>['data'];

describe('recipes in the log', () => {
  let log: FreshLog;
  let writer: LogWriter;
  let told = 0;
  beforeAll(async () => {
    log = await freshLog();
    writer = log.writer();
  });
  afterAll(() => log.drop());

  const record = async (event: DomainEventOf<'recipe.learned' | 'recipe.staled'>) => {
    const stream = repositoryStream(event.data.repository);
    const decide = () => ({ appends: [{ stream, events: [event] }], answer: { ok: true as const, result: {} } });
    const id = `e-${++told}`;
    return writer.submit({ id, actor: OPERATOR, traceparent: null, causation: 'test', runs: [], decide });
  };
  async function learn(name: string, more: Partial<Learned> = {}): Promise<string> {
    const runId = runIdOf(name);
    const [fingerprint, recipeDigest] = [digestOf('manifests'), digestOf('description')];
    const recipeId = recipeIdOf(runId);
    const known = { repository: REPOSITORY.id, fingerprint, recipeId, version: 1, recipeDigest, rules: '8' };
    const data = { ...known, runId, planDigest: digestOf(`plan of ${name}`), ...more };
    expect(await record({ type: 'recipe.learned', data })).toMatchObject({ ok: true });
    return recipeId;
  }
  async function fail(recipeId: string, name: string): Promise<void> {
    const by = { repository: REPOSITORY.id, fingerprint: digestOf('manifests'), recipeId };
    const data = { ...by, runId: runIdOf(name), planDigest: digestOf('plan'), reason: `test-a: failed in ${name}` };
    expect(await record({ type: 'recipe.staled', data })).toMatchObject({ ok: true });
  }
  const latest = async () => findLatestRecipe(log.reader, REPOSITORY.id, digestOf('manifests'));

  /** A run of one job that succeeds by a plan with this source. */
  async function succeed(name: string, source: Plan['source']): Promise<RunId> {
    const runId = runIdOf(name);
    const lease = { leaseHash: leaseHashOf(name), runnerId: runnerIdOf(name) };
    const plan = proposed({ ...planOf(['unit'], []).plan, summary: name, source });
    const planned = runSubmission(`${name}.plan`, runId, {
      ...recordPlan([aJobState('unit')]),
      planDigest: plan.digest,
    } as RunCommand);
    const rest: RunCommand[] = [
      { type: 'grant-lease', jobKey: 'unit', attempt: 1, ...lease },
      { type: 'acknowledge-lease', ...lease },
      { type: 'complete-attempt', ...lease, report: aReport() },
    ];
    const submissions = [
      runSubmission(`${name}.create`, runId, createRun(runId)),
      {
        ...planned,
        decide: (view: Parameters<typeof planned.decide>[0]) => ({ ...planned.decide(view), plans: [plan] }),
      },
      ...rest.map((command) => runSubmission(`${name}.${command.type}`, runId, command)),
    ];
    for (const submission of submissions) expect(await writer.submit(submission)).toMatchObject({ ok: true });
    expect(await whichPlanHasTheTrustedRun(log.reader, runId)).toBe(plan.digest);
    return runId;
  }

  it('given versions under one fingerprint, then the newest counts, and a stale one stays where it is and says why', async () => {
    expect(await latest()).toBeNull();
    const first = await learn('first');
    expect(await latest()).toMatchObject({ recipeId: first, version: 1, stale: null, learnedFrom: runIdOf('first') });
    await fail(first, 'a failed run');
    await fail(first, 'another failed run');
    const stale = { failedIn: runIdOf('a failed run'), reason: 'test-a: failed in a failed run' };
    expect(await latest()).toMatchObject({ recipeId: first, stale });
    const second = await learn('second', { version: 2 });
    expect(await latest()).toMatchObject({ recipeId: second, version: 2, stale: null });
    expect(await findLatestRecipe(log.reader, 'local/demo/other', digestOf('manifests'))).toBeNull();
    expect(await showRecipe(log.reader, first)).toMatchObject({ newest: false, summary: { stale } });
    expect(await showRecipe(log.reader, recipeIdOf(runIdOf('nobody')))).toBeNull();
  });

  it('list recipes in pages, newest first, of one repository when asked', async () => {
    const other = await learn('of another', { repository: 'local/demo/other' });
    const all = await listRecipes(log.reader, { limit: 50 });
    expect(all?.recipes).toHaveLength(3);
    const pages: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await listRecipes(log.reader, { limit: 1, ...(cursor === undefined ? {} : { cursor }) });
      pages.push(...(page?.recipes.map(({ recipeId }) => recipeId) ?? []));
      if (page?.nextCursor === null || page === null) break;
      cursor = page.nextCursor;
    }
    expect(pages).toEqual(all?.recipes.map(({ recipeId }) => recipeId));
    const own = await listRecipes(log.reader, { limit: 50, repository: 'local/demo/other' });
    expect(own?.recipes.map(({ recipeId }) => recipeId)).toEqual([other]);
    expect(await listRecipes(log.reader, { limit: 1, cursor: 'nonsense' })).toBeNull();
  });

  it('given runs that followed a recipe, then those count that proved nothing new, with those that taught it', async () => {
    const recipeDigest = digestOf('counted');
    const recipeId = await learn('counted', { fingerprint: digestOf('some'), recipeDigest });
    await learn('counted again', { fingerprint: digestOf('others'), recipeDigest });
    const used = { recipeId, version: 1, digest: recipeDigest, learnedAt: '2026-01-02T03:04:05.678Z' };
    const recipe = { fingerprint: digestOf('some'), used, stale: null, teaches: null };
    await succeed('by the recipe', { kind: 'recipe', evidence: 'the recipe', recipe });
    await succeed('by another', {
      kind: 'recipe',
      evidence: 'the recipe',
      recipe: { ...recipe, used: { ...used, digest: digestOf('another') } },
    });
    await succeed('by none', { kind: 'discovery', evidence: 'package.json with a script that holds \0' });
    expect(await showRecipe(log.reader, recipeId)).toMatchObject({ newest: true, successes: 3 });
  });

  it('given many versions, then those are outgrown that are among the newest of no fingerprint of anybody', async () => {
    const [fingerprint, other] = [digestOf('grown'), digestOf('of others')];
    for (const version of [1, 2, 3, 4, 5]) {
      const recipeDigest = digestOf(version === 5 ? 'grown 1' : `grown ${version}`);
      await learn(`grown ${version}`, { fingerprint, version, recipeDigest });
    }
    const outgrown = async (kept: number) => findOutgrownRecipes(log.reader, REPOSITORY.id, fingerprint, kept);
    expect(await outgrown(5)).toEqual([]);
    // The first was learned again as the fifth.
    expect(await outgrown(2)).toEqual([digestOf('grown 3'), digestOf('grown 2')]);
    await learn('elsewhere', { repository: 'local/demo/other', fingerprint: other, recipeDigest: digestOf('grown 3') });
    expect(await outgrown(2)).toEqual([digestOf('grown 2')]);
  });

  it('given the whole log, when it is folded again, then it leads to the same recipes', async () => {
    const { equal } = await verifyReplay({ databaseUrl: log.readerUrl });
    expect(equal).toBe(true);
    expect(await rebuildProjections({ databaseUrl: log.readerUrl })).toMatchObject({ equal: true });
  });
});
