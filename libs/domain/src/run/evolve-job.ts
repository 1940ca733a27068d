import type { DomainEventOf, RunPolicy } from '@delta-ci/contracts';
import { BrokenInvariant, present } from '../broken-invariant.ts';
import { JOB_MACHINE, type JobTrigger } from '../machines/job-machine.ts';
import { nextState } from '../machines/machine.ts';
import type { Work } from './aggregate.ts';
import type { FinishedAttempt, JobProgress } from './job-progress.ts';
import { jobAt, jobTableOf, withJobAt, withJobsAt } from './job-table.ts';
import { NO_LEASES } from './lease-index.ts';
import { dependentsOf, gatesTheRun, indexJobs, placeOf, plannedAt, satisfiesDependents } from './plan-shape.ts';
import { withReady, withoutReady } from './ready-queue.ts';

/** Folds what happens to jobs. Every function answers new work and leaves the old as it was. */

export function workPlanned(data: DomainEventOf<'run.planned'>['data']): Work {
  const indexOf = indexJobs(data.jobs);
  return {
    planDigest: data.planDigest,
    deadlineAtMs: data.deadlineAtMs,
    planned: data.jobs,
    indexOf,
    dependents: dependentsOf(data.jobs, indexOf),
    jobs: jobTableOf(data.jobs.map((job) => ({ state: 'blocked', unmetNeeds: job.needs.length }))),
    ready: [],
    live: [],
    leases: NO_LEASES,
    unfinishedJobs: data.jobs.length,
    failures: 0,
    failedFast: false,
  };
}

export function jobReadied(work: Work, data: DomainEventOf<'job.readied'>['data']): Work {
  const place = present(placeOf(work, data.jobKey), `job ${data.jobKey}`);
  const job = jobAt(work.jobs, place);
  assertStep(job, 'job.readied');
  if (job.state === 'blocked' && job.unmetNeeds > 0) throw new BrokenInvariant(`job ${data.jobKey} has unmet needs`);
  return {
    ...work,
    jobs: withJobAt(work.jobs, place, { state: 'ready' }),
    ready: withReady(work.ready, place, work.planned),
  };
}

export function jobFinished(work: Work, policy: RunPolicy, data: DomainEventOf<'job.finished'>['data']): Work {
  const place = present(placeOf(work, data.jobKey), `job ${data.jobKey}`);
  const job = jobAt(work.jobs, place);
  assertStep(job, 'job.finished');
  const jobPolicy = plannedAt(work, place).policy;
  const finished = withJobAt(work.jobs, place, {
    state: 'finished',
    outcome: data.outcome,
    reason: data.reason,
    attempts: finishedAttemptsOf(job),
  });
  const fails = gatesTheRun(jobPolicy) && data.outcome !== 'succeeded';
  const failsFast = fails && policy.failFast && (data.outcome === 'failed' || data.outcome === 'timed_out');
  return {
    ...work,
    jobs: satisfiesDependents(jobPolicy, data.outcome) ? withNeedMet(finished, work, place) : finished,
    ready: job.state === 'ready' ? withoutReady(work.ready, place) : work.ready,
    unfinishedJobs: work.unfinishedJobs - 1,
    failures: work.failures + (fails ? 1 : 0),
    failedFast: work.failedFast || failsFast,
  };
}

/** @throws BrokenInvariant when the machine has no such step. */
export function assertStep(job: JobProgress, trigger: JobTrigger): void {
  nextState(JOB_MACHINE, job.state, trigger);
}

function withNeedMet(jobs: Work['jobs'], work: Work, place: number): Work['jobs'] {
  const dependents = present(work.dependents[place], 'dependents');
  if (dependents.length === 0) return jobs;
  return withJobsAt(jobs, dependents, (job) =>
    job.state === 'blocked' ? { state: 'blocked', unmetNeeds: job.unmetNeeds - 1 } : job,
  );
}

function finishedAttemptsOf(job: JobProgress): readonly FinishedAttempt[] {
  if (job.state !== 'active') return [];
  if (job.current.state !== 'finished') throw new BrokenInvariant('a job finished before its attempt did');
  return [...job.earlier, job.current];
}
