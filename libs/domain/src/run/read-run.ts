import type { EpochMs, JobKey, LeaseHash, LeaseState, PlannedJobState, RunnerId } from '@delta-ci/contracts';
import { workOf, type RunAggregate } from './aggregate.ts';
import type { Attempt, JobProgress } from './job-progress.ts';
import { attemptsOf } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { findLeasePlace } from './lease-index.ts';
import { placeOf, plannedAt } from './plan-shape.ts';

/** Reading a run, for those who decide nothing about it. */

/** A lease of the run, live or over, with what its holder may need to be told. */
export interface LeaseView {
  readonly jobKey: JobKey;
  readonly attempt: number;
  readonly fence: number;
  readonly runnerId: RunnerId;
  readonly state: LeaseState;
  readonly attemptState: Attempt['state'];
  readonly cancelRequested: boolean;
  /** By when the attempt must have stopped; null when no cancel is under way. */
  readonly cancelDeadlineAtMs: EpochMs | null;
  /** When the job's own time is over; null before the lease was acknowledged and while canceling. */
  readonly jobDeadlineAtMs: EpochMs | null;
  readonly planned: PlannedJobState;
}

/** The lease with this hash; null when the run never granted it. */
export function leaseOf(run: RunAggregate, hash: LeaseHash): LeaseView | null {
  const work = workOf(run);
  const place = work === null ? null : findLeasePlace(work.leases, hash);
  if (work === null || place === null) return null;
  const attempt = attemptsOf(jobAt(work.jobs, place.job)).find((candidate) => candidate.number === place.attempt);
  if (attempt === undefined || attempt.state === 'queued' || attempt.lease === null) return null;
  const planned = plannedAt(work, place.job);
  return {
    jobKey: planned.key,
    attempt: attempt.number,
    fence: attempt.lease.fence,
    runnerId: attempt.lease.runnerId,
    state: attempt.lease.state,
    attemptState: attempt.state,
    cancelRequested: attempt.state === 'canceling' || (attempt.state === 'finished' && attempt.cancelRequested),
    cancelDeadlineAtMs: attempt.state === 'canceling' ? attempt.cancelDeadlineAtMs : null,
    jobDeadlineAtMs: 'jobDeadlineAtMs' in attempt ? attempt.jobDeadlineAtMs : null,
    planned,
  };
}

/** A job of the run's plan with how far it is; null when there is no plan, or no such job in it. */
export function jobOf(run: RunAggregate, key: JobKey): { planned: PlannedJobState; progress: JobProgress } | null {
  const work = workOf(run);
  const place = work === null ? null : placeOf(work, key);
  if (work === null || place === null) return null;
  return { planned: plannedAt(work, place), progress: jobAt(work.jobs, place) };
}
