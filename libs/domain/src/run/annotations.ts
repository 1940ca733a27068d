import { refuse } from '@delta-ci/contracts';
import { cacheScope } from '../caches/cache-scope.ts';
import { workOf } from './aggregate.ts';
import { ACCEPTED, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import { attemptsOf } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { refuseStale, standingOf } from './lease-standing.ts';
import { placeOf, plannedAt } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';

/** What is added to a run without moving it. Explanations and publications may come after everything is over. */

/** Artifacts of one attempt; as many as a completion report can name. */
export const ARTIFACTS_PER_ATTEMPT_MAX = 1_000;

/** An artifact is immutable: the same name with the same content is a repeat, with other content a conflict. */
export function recordArtifact(unfolding: Unfolding, command: RunCommandOf<'record-artifact'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { attempt, place } = standing;
  if (attempt.state === 'leased' || attempt.lease.state === 'granted') {
    return refuseTransition('a lease', 'granted', command.type);
  }
  const { run } = unfolding;
  if (run.state !== 'absent' && run.facts.rerun?.debug !== undefined) {
    return refuse('forbidden', 'the run is for debugging, and leaves nothing');
  }
  const { artifact } = command;
  const same = attempt.artifacts.find((held) => held.name === artifact.name);
  if (same?.digest === artifact.digest) return ACCEPTED;
  if (same !== undefined) {
    return refuse('conflicting_repeat', `artifact ${artifact.name} was recorded with other content`);
  }
  if (attempt.artifacts.length >= ARTIFACTS_PER_ATTEMPT_MAX) {
    return refuse('payload_too_large', `an attempt may have ${ARTIFACTS_PER_ATTEMPT_MAX} artifacts`);
  }
  const jobKey = plannedAt(unfolding.work, place).key;
  unfolding.record({ type: 'artifact.recorded', data: { jobKey, attempt: attempt.number, artifact } });
  return ACCEPTED;
}

/**
 * A cache that was stored under a key of the job. In which domain, or that there is none, is decided here, from what the run was
 * created with; that nothing is kept there yet, by the tables, which know all runs.
 */
export function recordCache(unfolding: Unfolding, command: RunCommandOf<'record-cache'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { run } = unfolding;
  const { attempt, place } = standing;
  if (attempt.state === 'leased' || attempt.lease.state === 'granted')
    return refuseTransition('a lease', 'granted', command.type);
  const facts = run.state === 'absent' ? null : run.facts;
  if (facts?.rerun?.debug !== undefined) return refuse('forbidden', 'the run is for debugging, and leaves nothing');
  const domain = facts === null ? null : cacheScope(facts.change, facts.repository).saves;
  if (facts === null || domain === null) return refuse('forbidden', 'this run saves no caches');
  const data = { jobKey: plannedAt(unfolding.work, place).key, attempt: attempt.number };
  const { cache } = command;
  unfolding.record({ type: 'cache.saved', data: { ...data, repository: facts.repository.id, domain, cache } });
  return ACCEPTED;
}

export function recordExplanation(unfolding: Unfolding, command: RunCommandOf<'record-explanation'>): Refused {
  const work = workOf(unfolding.run);
  const place = work === null ? null : placeOf(work, command.jobKey);
  const attempts = work === null || place === null ? [] : attemptsOf(jobAt(work.jobs, place));
  const attempt = attempts.find((candidate) => candidate.number === command.attempt);
  if (attempt === undefined) {
    return refuse('not_found', `the run has no attempt ${command.attempt} of a job ${command.jobKey}`);
  }
  if (attempt.state !== 'finished') return refuseTransition('an attempt', attempt.state, command.type);
  if (attempt.outcome === 'succeeded') return refuseTransition('an attempt', 'succeeded', command.type);
  const { jobKey, explanation } = command;
  unfolding.record({ type: 'failure.explained', data: { jobKey, attempt: attempt.number, explanation } });
  return ACCEPTED;
}

/** What the forge shows. The first publication of the final state makes the run `reported`. */
export function recordPublication(unfolding: Unfolding, { data }: RunCommandOf<'record-publication'>): Refused {
  unfolding.record({ type: 'publication.recorded', data });
  const { run } = unfolding;
  const final = run.state === 'finished' && data.status === 'published' && data.final === run.outcome;
  if (final && !run.reported) unfolding.record({ type: 'run.reported', data: { outcome: run.outcome } });
  return ACCEPTED;
}
