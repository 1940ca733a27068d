import type { EpochMs, JobKey, RunPolicy, RunnerId } from '@delta-ci/contracts';
import { BrokenInvariant, present } from '../broken-invariant.ts';
import type { LiveAttempt, Work } from './aggregate.ts';
import { attemptDeadlineMs } from './attempt-deadline.ts';
import type { ActiveJob, Attempt, HeldAttempt } from './job-progress.ts';
import { jobAt, withJobAt } from './job-table.ts';
import { placeOf } from './plan-shape.ts';

/** The attempt a job is at, with where to put its successor. */
export interface CurrentAttempt<A extends Attempt = Attempt> {
  readonly place: number;
  readonly job: ActiveJob;
  readonly attempt: A;
}

/** @throws BrokenInvariant when the job is not at that attempt: only the log itself may ask. */
export function currentAttempt(work: Work, key: JobKey, number: number): CurrentAttempt {
  const place = present(placeOf(work, key), `job ${key}`);
  const job = jobAt(work.jobs, place);
  if (job.state !== 'active' || job.current.number !== number) {
    throw new BrokenInvariant(`job ${key} is not at attempt ${number}`);
  }
  return { place, job, attempt: job.current };
}

/** The same, for an attempt that a runner holds. */
export function heldAttempt(work: Work, key: JobKey, number: number): CurrentAttempt<HeldAttempt> {
  const { place, job, attempt } = currentAttempt(work, key, number);
  if (attempt.state === 'queued' || attempt.state === 'finished') {
    throw new BrokenInvariant(`nobody holds attempt ${number} of job ${key}`);
  }
  return { place, job, attempt };
}

/** Work in which the job is at `attempt`; keeps the list of live attempts in step. */
export function withAttempt(work: Work, policy: RunPolicy, place: number, job: ActiveJob, attempt: Attempt): Work {
  return {
    ...work,
    jobs: withJobAt(work.jobs, place, { ...job, current: attempt }),
    live: withLive(work.live, place, attempt, attemptDeadlineMs(attempt, policy)),
  };
}

function withLive(
  live: readonly LiveAttempt[],
  job: number,
  attempt: Attempt,
  deadlineAtMs: EpochMs | null,
): readonly LiveAttempt[] {
  const at = live.findIndex((entry) => entry.job === job);
  if (attempt.state === 'finished') return at < 0 ? live : live.toSpliced(at, 1);
  const entry: LiveAttempt = { job, deadlineAtMs, runnerId: runnerOf(attempt) };
  return at < 0 ? [...live, entry] : live.with(at, entry);
}

function runnerOf(attempt: Exclude<Attempt, { state: 'finished' }>): RunnerId | null {
  return attempt.state === 'queued' ? null : attempt.lease.runnerId;
}
