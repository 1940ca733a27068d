import { isShadow, refuse, type DomainEventOf, type JobKey, type Refusal, type RunId } from '@delta-ci/contracts';
import type { FinishedRun, RunAggregate, Work } from './aggregate.ts';
import { jobAt } from './job-table.ts';

export type RerunDecision = { ok: true; data: DomainEventOf<'run.created'>['data'] } | { ok: false; refusal: Refusal };

/**
 * What a run that repeats `run` starts from. Finished runs are never reopened: the same change is evaluated again in a
 * run of its own, with the same trust. `failed` repeats only jobs that did not succeed; what succeeded stands. A shadow is
 * never repeated: it was a sample, and no part of what the run came to.
 */
export function decideRerun(run: RunAggregate, wish: { newRunId: RunId; only: 'all' | 'failed' }): RerunDecision {
  if (run.state === 'absent') return refused('not_found', 'there is no such run');
  if (run.state !== 'finished') return refused('not_rerunnable', 'the run has not finished: cancel it or wait for it');
  if (run.facts.rerun?.debug !== undefined) {
    return refused('not_rerunnable', `this run was for debugging: run ${run.facts.rerun.of} again`);
  }
  const jobs = wish.only === 'failed' ? unsuccessfulJobs(run.work) : null;
  if (jobs?.length === 0) return refused('not_rerunnable', 'no job of this run failed: run all of it again instead');
  return { ok: true, data: rerunOf(run, wish, jobs) };
}

function rerunOf(
  run: FinishedRun,
  wish: { newRunId: RunId; only: 'all' | 'failed' },
  jobs: JobKey[] | null,
): DomainEventOf<'run.created'>['data'] {
  const { repository, change, policy, runId } = run.facts;
  // Without a plan (planning failed) there is nothing to take jobs from: the change is simply planned again.
  const rerun = run.work === null ? null : { of: runId, only: wish.only, planDigest: run.work.planDigest, jobs };
  return { runId: wish.newRunId, repository, change: { ...change, kind: 'rerun' }, policy, rerun };
}

function unsuccessfulJobs(work: Work | null): JobKey[] | null {
  if (work === null) return null;
  return work.planned.flatMap((planned, place) => {
    if (isShadow(planned.policy)) return [];
    const job = jobAt(work.jobs, place);
    return job.state === 'finished' && job.outcome === 'succeeded' ? [] : [planned.key];
  });
}

function refused(code: 'not_found' | 'not_rerunnable', message: string): RerunDecision {
  return { ok: false, refusal: refuse(code, message) };
}
