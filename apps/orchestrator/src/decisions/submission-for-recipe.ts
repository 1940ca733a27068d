import { repositoryStream, type DomainEventOf, type Report } from '@delta-ci/contracts';
import { decideLearned, decideStaled, type RecipeDecision } from '@delta-ci/domain';
import type { Submission, SubmissionResult } from '@delta-ci/event-log';
import type { Envelope } from './run-submission.ts';

export type RecipeReport = Report<'planner.recipe-proved' | 'planner.recipe-failed'>;

/** What a run that is over says about a recipe, as a decision on that run. Recipes stand in the stream of their repository. */
export function submissionForRecipe(envelope: Envelope, report: RecipeReport): Submission {
  const { runId } = report.data;
  return {
    ...envelope,
    runs: [runId],
    decide: (view) => {
      const run = view.run(runId);
      if (report.kind === 'planner.recipe-proved') {
        const { runId: _, ...proof } = report.data;
        return resultOf(decideLearned(run, proof));
      }
      const { runId: _, ...doubt } = report.data;
      return resultOf(decideStaled(run, doubt));
    },
  };
}

function resultOf(decision: RecipeDecision<DomainEventOf<'recipe.learned' | 'recipe.staled'>>): SubmissionResult {
  if (!decision.ok) return { appends: [], answer: decision };
  const { event } = decision;
  const appends = event === null ? [] : [{ stream: repositoryStream(event.data.repository), events: [event] }];
  return { appends, answer: { ok: true, result: {} } };
}
