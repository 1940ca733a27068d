import {
  recipeIdOf,
  refuse,
  type Digest,
  type DomainEventOf,
  type FailureClass,
  type JobKey,
  type Refusal,
} from '@delta-ci/contracts';
import { workOf, type FinishedRun, type RunAggregate } from '../run/aggregate.ts';
import type { FinishedJob } from '../run/job-progress.ts';
import { jobOf } from '../run/read-run.ts';

/**
 * What a run that is over says about recipes. What a recipe holds is for planning to say; whether the run is what it
 * takes to learn one, or to give one up, is decided here, from the run alone.
 */

type Learned = DomainEventOf<'recipe.learned'>;
type Staled = DomainEventOf<'recipe.staled'>;

/** A recipe that the plan of a run teaches, under its next version number. */
export type RecipeProof = Pick<Learned['data'], 'planDigest' | 'fingerprint' | 'version' | 'recipeDigest' | 'rules'>;

/** A recipe that the plan of a run follows. */
export interface RecipeDoubt extends Pick<Staled['data'], 'planDigest' | 'fingerprint' | 'recipeId'> {
  /** Keys of the jobs that follow it. */
  readonly jobs: readonly JobKey[];
  /** Of these, those that discovery would not run like that by now. */
  readonly otherwise?: readonly JobKey[] | undefined;
}

export type RecipeDecision<E> =
  { readonly ok: true; readonly event: E | null } | { readonly ok: false; readonly refusal: Refusal };

/**
 * Learns a recipe from a run that succeeded by it. Refused for other runs, and for changes that are not trusted: a
 * stranger must not say how the code of others is tested.
 */
export function decideLearned(run: RunAggregate, proof: RecipeProof): RecipeDecision<Learned> {
  const over = finishedBy(run, proof.planDigest);
  if (!over.ok) return over;
  const { facts, outcome } = over.run;
  if (outcome !== 'succeeded') return refused(`a run that ${outcome} proves no recipe`);
  const { runId, repository } = facts;
  const data = { ...proof, repository: repository.id, runId, recipeId: recipeIdOf(runId) };
  return { ok: true, event: { type: 'recipe.learned', data } };
}

/**
 * Gives a recipe up after a run that failed because of it: a job that follows it failed for what it is run with, not for
 * what it tests, or it failed by its own word and discovery would run something else: then nobody knows whether what it tests
 * is at fault. Any other failure says nothing about the recipe, and leads to no event.
 */
export function decideStaled(
  run: RunAggregate,
  { jobs, otherwise = [], ...doubt }: RecipeDoubt,
): RecipeDecision<Staled> {
  const over = finishedBy(run, doubt.planDigest);
  if (!over.ok) return over;
  const { runId, repository } = over.run.facts;
  const reasons = [
    ...jobs.map((key) => failureOf(over.run, key, 'tooling')),
    ...otherwise.map((key) => failureOf(over.run, key, 'user', ', and discovery would run something else by now')),
  ];
  const reason = reasons.find((found) => found !== null) ?? null;
  if (reason === null) return { ok: true, event: null };
  const data = { ...doubt, repository: repository.id, runId, reason: reason.slice(0, 500) };
  return { ok: true, event: { type: 'recipe.staled', data } };
}

type Over = { readonly ok: true; readonly run: FinishedRun } | { readonly ok: false; readonly refusal: Refusal };

/** The run, when it is over, was trusted, and had this plan. */
function finishedBy(run: RunAggregate, planDigest: Digest): Over {
  if (run.state === 'absent') return { ok: false, refusal: refuse('not_found', 'there is no such run') };
  if (run.state !== 'finished') return refused('a run that is not over says nothing about a recipe');
  if (workOf(run)?.planDigest !== planDigest) return refused(`the plan of ${run.facts.runId} is another one`);
  if (run.facts.change.trust !== 'trusted') return refused('a change that is not trusted says nothing about a recipe');
  return { ok: true, run };
}

function failureOf(run: FinishedRun, key: JobKey, failureClass: FailureClass, further = ''): string | null {
  const progress = jobOf(run, key)?.progress;
  if (progress?.state !== 'finished' || progress.outcome !== 'failed') return null;
  return lastClassOf(progress) === failureClass ? `${key}: ${progress.reason}${further}` : null;
}

function lastClassOf({ attempts }: FinishedJob): string | null {
  return attempts.at(-1)?.failureClass ?? null;
}

function refused(message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: refuse('invalid_request', message) };
}
