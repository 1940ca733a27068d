import { refuse, type LeaseHash, type Refusal, type RunnerId } from '@delta-ci/contracts';
import { BrokenInvariant } from '../broken-invariant.ts';
import { workOf, type RunAggregate, type Work } from './aggregate.ts';
import type { Unfolding } from './decision.ts';
import type { Attempt, FinishedAttempt, HeldAttempt } from './job-progress.ts';
import { attemptsOf } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { findLeasePlace } from './lease-index.ts';
import { plannedAt } from './plan-shape.ts';
import type { RunnerReportType } from './run-command.ts';

/** Why a report does not count. `superseded` wins over how the lease ended: a newer fence is the stronger reason. */
export type StaleReason = 'expired' | 'revoked' | 'unknown' | 'superseded';

/** Where a report stands that carries a lease's hash. */
export type LeaseStanding =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'foreign'; readonly place: number; readonly attempt: HeldAttempt | FinishedAttempt }
  | { readonly kind: 'held'; readonly place: number; readonly attempt: HeldAttempt }
  | {
      readonly kind: 'ended';
      readonly place: number;
      readonly attempt: FinishedAttempt;
      readonly reason: Exclude<StaleReason, 'unknown'>;
    };

/**
 * Stale reports recorded per lease. They change nothing, so a runner that keeps sending them may not fill the log; the
 * first few say all there is to know.
 */
export const STALE_REPORTS_RECORDED_MAX = 10;

export function standingOf(run: RunAggregate, hash: LeaseHash, runnerId: RunnerId): LeaseStanding {
  const work = workOf(run);
  const place = work === null ? null : findLeasePlace(work.leases, hash);
  if (work === null || place === null) return { kind: 'unknown' };
  const attempts = attemptsOf(jobAt(work.jobs, place.job));
  const attempt = leasedAt(attempts, place.attempt);
  if (attempt.lease?.runnerId !== runnerId) return { kind: 'foreign', place: place.job, attempt };
  if (attempt.state !== 'finished') return { kind: 'held', place: place.job, attempt };
  return { kind: 'ended', place: place.job, attempt, reason: endOf(attempt, attempts) };
}

/** Refuses a report that does not count, and records that it came, for the first few of a lease. */
export function refuseStale(
  unfolding: Unfolding,
  standing: Exclude<LeaseStanding, { kind: 'held' }>,
  report: RunnerReportType,
  runnerId: RunnerId,
): Refusal {
  const reason: StaleReason = standing.kind === 'ended' ? standing.reason : 'unknown';
  if (standing.kind !== 'unknown') recordStale(unfolding, unfolding.work, standing, reason, report, runnerId);
  return refuse('stale_lease', `this lease no longer counts (${reason}): stop, clean up and do not report again`, {
    reason,
  });
}

function recordStale(
  unfolding: Unfolding,
  work: Work,
  { place, attempt }: { place: number; attempt: HeldAttempt | FinishedAttempt },
  reason: StaleReason,
  report: RunnerReportType,
  runnerId: RunnerId,
): void {
  if (attempt.lease === null || attempt.lease.staleReports >= STALE_REPORTS_RECORDED_MAX) return;
  const jobKey = plannedAt(work, place).key;
  unfolding.record({
    type: 'lease.stale-report-refused',
    data: { jobKey, attempt: attempt.number, reason, report, runnerId },
  });
}

function leasedAt(attempts: readonly Attempt[], number: number): HeldAttempt | FinishedAttempt {
  const attempt = attempts.find((candidate) => candidate.number === number);
  if (attempt === undefined || attempt.state === 'queued') {
    throw new BrokenInvariant(`the lease index names attempt ${number}, which has no lease`);
  }
  return attempt;
}

function endOf(attempt: FinishedAttempt, attempts: readonly Attempt[]): Exclude<StaleReason, 'unknown'> {
  const newer = attempts.some((other) => other.number > attempt.number && other.state !== 'queued' && other.lease);
  if (newer) return 'superseded';
  return attempt.lease?.state === 'expired' ? 'expired' : 'revoked';
}
