import { describe, expect, it } from '@jest/globals';
import type { CompletionReport } from '@delta-ci/contracts';
import {
  CHANGE,
  FAILURE,
  NO_SOURCE,
  OTHER_PLAN,
  PLAN,
  REPOSITORY,
  RUN,
  STEP,
  SUCCESS,
  acknowledgeLease,
  cancelRun,
  completeAttempt,
  createRun,
  grantLease,
  job,
  recordPlan,
} from '../run/a-run.fixture.ts';
import type { RunAggregate } from '../run/aggregate.ts';
import { folded, story, type Step } from '../run/given.fixture.ts';
import { decideLearned, decideStaled } from './decide-recipe.ts';

const FINGERPRINT = `sha256:${'f'.repeat(64)}`;
const RECIPE = { recipeId: `rcp_${'9'.repeat(32)}`, fingerprint: FINGERPRINT, planDigest: PLAN };
const PROOF = {
  planDigest: PLAN,
  fingerprint: FINGERPRINT,
  version: 2,
  recipeDigest: `sha256:${'c'.repeat(64)}`,
  rules: '8',
};

/** The shell found no such command: tooling. */
const NO_COMMAND: CompletionReport = { ...FAILURE, exitCode: 127, steps: [{ ...STEP, exitCode: 127 }] };

/** A run of one job whose only attempt ended with this report. */
function ended(report: CompletionReport, begun: Step = createRun()): RunAggregate {
  const planned = recordPlan([job('test-a', [], { retries: 0 })]);
  return folded(
    story(begun, planned, grantLease('test-a'), acknowledgeLease('test-a'), completeAttempt('test-a', report)),
  );
}

const untrusted = createRun();
untrusted.data.change = { ...CHANGE, trust: 'untrusted' };

describe('learning a recipe', () => {
  it('given a run that succeeded by the plan that teaches it, then it is learned, and goes by the number of the run', () => {
    const data = { ...PROOF, repository: REPOSITORY.id, runId: RUN, recipeId: RUN.replace('run_', 'rcp_') };
    expect(decideLearned(ended(SUCCESS), PROOF)).toEqual({ ok: true, event: { type: 'recipe.learned', data } });
  });

  it.each<[string, RunAggregate, string]>([
    ['nobody knows', folded([]), 'not_found'],
    ['is not over', folded(story(createRun(), recordPlan([job('test-a')]))), 'invalid_request'],
    ['failed', ended(FAILURE), 'invalid_request'],
    ['was canceled before it had a plan', folded(story(createRun(), cancelRun)), 'invalid_request'],
    ['is of a stranger', ended(SUCCESS, untrusted), 'invalid_request'],
  ])('given a run that %s, then nothing is learned from it', (_, run, code) => {
    expect(decideLearned(run, PROOF)).toMatchObject({ ok: false, refusal: { code } });
  });

  it('given another plan than the run had, then nothing is learned from it', () => {
    expect(decideLearned(ended(SUCCESS), { ...PROOF, planDigest: OTHER_PLAN })).toMatchObject({ ok: false });
  });
});

describe('giving a recipe up', () => {
  const doubt = { ...RECIPE, jobs: ['test-a'] };

  it('given a job by it that discovery would run otherwise, when it fails by its own word, then it is stale, and why is told', () => {
    const decided = decideStaled(ended(FAILURE), { ...doubt, otherwise: ['test-a'] });
    const reason = expect.stringMatching(
      /^test-a: .*class user.*, and discovery would run something else by now$/,
    ) as unknown;
    expect(decided).toEqual({
      ok: true,
      event: { type: 'recipe.staled', data: { ...RECIPE, repository: REPOSITORY.id, runId: RUN, reason } },
    });
    expect(decideStaled(ended(SUCCESS), { ...doubt, otherwise: ['test-a'] })).toEqual({ ok: true, event: null });
  });

  it('given a job by the recipe that failed for what it is run with, then it is stale, and why is told', () => {
    const reason = expect.stringMatching(/^test-a: .*class tooling/) as unknown;
    expect(decideStaled(ended(NO_COMMAND), doubt)).toEqual({
      ok: true,
      event: { type: 'recipe.staled', data: { ...RECIPE, repository: REPOSITORY.id, runId: RUN, reason } },
    });
  });

  it.each<[string, RunAggregate, readonly string[]]>([
    ['a test failed', ended(FAILURE), ['test-a']],
    ['the runner had no sources', ended(NO_SOURCE), ['test-a']],
    ['the job that failed does not follow it', ended(NO_COMMAND), ['test-b']],
    ['all is well', ended(SUCCESS), ['test-a']],
  ])('given that %s, then it stays as it is', (_, run, jobs) => {
    expect(decideStaled(run, { ...RECIPE, jobs })).toEqual({ ok: true, event: null });
  });

  it('given a change of a stranger, then it gives up nothing', () => {
    expect(decideStaled(ended(NO_COMMAND, untrusted), doubt)).toMatchObject({ ok: false });
  });
});
