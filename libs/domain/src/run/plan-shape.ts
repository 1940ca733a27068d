import { isShadow, type JobKey, type JobOutcome, type JobPolicy, type PlannedJobState } from '@delta-ci/contracts';
import { present } from '../broken-invariant.ts';
import type { Work } from './aggregate.ts';
import { jobAt } from './job-table.ts';

/** Whether the run fails when this job does not succeed. */
export function gatesTheRun(policy: JobPolicy): boolean {
  return policy.required && !policy.allowFailure;
}

/** Whether jobs that need this one may go on. */
export function satisfiesDependents(policy: JobPolicy, outcome: JobOutcome): boolean {
  return outcome === 'succeeded' || policy.allowFailure;
}

/** Whether all that is unfinished are shadows: what the run comes to is settled, whatever becomes of them. */
export function onlyShadowsLeft({ planned, jobs }: Work): boolean {
  return planned.every(({ policy }, place) => isShadow(policy) || jobAt(jobs, place).state === 'finished');
}

export function plannedAt(work: Work, job: number): PlannedJobState {
  return present(work.planned[job], `planned job ${job}`);
}

/** The place of a key in the plan, or null when the plan has no such job. */
export function placeOf(work: Work, key: JobKey): number | null {
  return Object.hasOwn(work.indexOf, key) ? present(work.indexOf[key], key) : null;
}

/** Key -> place in the plan. */
export function indexJobs(jobs: readonly PlannedJobState[]): Record<JobKey, number> {
  return Object.fromEntries(jobs.map((job, place) => [job.key, place]));
}

/** For each job, the places of the jobs that need it. */
export function dependentsOf(jobs: readonly PlannedJobState[], indexOf: Readonly<Record<JobKey, number>>): number[][] {
  const dependents: number[][] = jobs.map(() => []);
  jobs.forEach((job, place) => {
    for (const need of job.needs) {
      const needed = present(indexOf[need], `job ${need}, needed by ${job.key}`);
      present(dependents[needed], `dependents of ${need}`).push(place);
    }
  });
  return dependents;
}

/** What is wrong with the shape of a plan, in a sentence; null when every job can be reached. */
export function planShapeProblem(jobs: readonly PlannedJobState[]): string | null {
  const keys = new Set<JobKey>();
  for (const job of jobs) {
    if (keys.has(job.key)) return `job ${job.key} is planned twice`;
    keys.add(job.key);
  }
  for (const job of jobs) {
    if (new Set(job.needs).size !== job.needs.length) return `job ${job.key} needs the same job twice`;
    const unknown = job.needs.find((need) => !keys.has(need));
    if (unknown !== undefined) return `job ${job.key} needs ${unknown}, which is not in the plan`;
  }
  return needCycleProblem(jobs);
}

function needCycleProblem(jobs: readonly PlannedJobState[]): string | null {
  const indexOf = indexJobs(jobs);
  const dependents = dependentsOf(jobs, indexOf);
  const unmet = jobs.map((job) => job.needs.length);
  const free = unmet.flatMap((count, place) => (count === 0 ? [place] : []));
  for (const place of free) {
    for (const dependent of present(dependents[place], 'dependents')) {
      const left = present(unmet[dependent], 'needs') - 1;
      unmet[dependent] = left;
      if (left === 0) free.push(dependent);
    }
  }
  const stuck = jobs.find((_, place) => present(unmet[place], 'needs') > 0);
  return stuck === undefined ? null : `job ${stuck.key} is part of, or waits for, a circle of needs`;
}
