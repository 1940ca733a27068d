import { describe, expect, it } from '@jest/globals';
import type { Report } from '@delta-ci/contracts';
import { aReport } from '../../../../test/support/made-up/completion-report.ts';
import {
  DIGEST,
  DecidedRuns,
  LEASE,
  REPOSITORY,
  RUN,
  RUNNER,
  command,
  leasedRun,
  typesIn,
} from './made-up-commands.fixture.ts';
import { submissionForRecipe, type RecipeReport } from './submission-for-recipe.ts';

const envelope = {
  id: 'report-r-1',
  actor: { kind: 'service', name: 'planner' },
  causation: 'e-1',
  traceparent: null,
} as const;
const of = { runId: RUN, planDigest: DIGEST, fingerprint: DIGEST };

const PROVED: Report<'planner.recipe-proved'> = {
  id: 'r-1',
  kind: 'planner.recipe-proved',
  causation: 'e-1',
  traceparent: null,
  data: { ...of, version: 1, recipeDigest: DIGEST, rules: '8' },
};
const FAILED: Report<'planner.recipe-failed'> = {
  id: 'r-1',
  kind: 'planner.recipe-failed',
  causation: 'e-1',
  traceparent: null,
  data: { ...of, recipeId: `rcp_${'9'.repeat(32)}`, jobs: ['unit'] },
};

describe('what a run says about a recipe', () => {
  it.each<[string, RecipeReport]>([
    ['a proof', PROVED],
    ['a doubt', FAILED],
  ])('given %s from a run that is not over, then it is refused, and nothing is appended anywhere', (_, report) => {
    const submission = submissionForRecipe(envelope, report);
    expect(submission).toMatchObject({ ...envelope, runs: [RUN] });
    const result = leasedRun().take(submission);
    expect(result.answer).toMatchObject({ ok: false, refusal: { code: 'invalid_request' } });
    expect(typesIn(result)).toEqual([]);
  });

  it('given a proof from the run that succeeded, then the recipe is in the stream of its repository', () => {
    const runs = leasedRun();
    const by = { leaseHash: LEASE, runnerId: RUNNER };
    runs.decide(command('acknowledge-lease', by));
    runs.decide(command('complete-attempt', { ...by, report: aReport() }));
    const { appends, answer } = runs.take(submissionForRecipe(envelope, PROVED));
    expect(answer.ok).toBe(true);
    expect(appends).toMatchObject([
      { stream: `repository-${REPOSITORY.id}`, events: [{ type: 'recipe.learned', data: { runId: RUN, version: 1 } }] },
    ]);
    const doubted = runs.take(submissionForRecipe(envelope, FAILED));
    expect(doubted).toMatchObject({ appends: [], answer: { ok: true } });
  });

  it('given a run nobody knows, then it is refused by that name', () => {
    const { answer } = new DecidedRuns().take(submissionForRecipe(envelope, PROVED));
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'not_found' } });
  });
});
