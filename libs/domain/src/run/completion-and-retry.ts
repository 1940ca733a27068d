import { type CompletionReport, type DomainEventOf } from '@delta-ci/contracts';
import { classifyFailure, reportsSuccess } from '../retry/classify.ts';
import { workOf } from './aggregate.ts';
import { ACCEPTED, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import type { FinishedAttempt, HeldAttempt } from './job-progress.ts';
import { isLiveLease } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { refuseStale, standingOf } from './lease-standing.ts';
import { placeOf, plannedAt } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';
import { settleAttempt, settleRun } from './settle.ts';

/** Attempts end: by their runner's report, or because the runner is gone. */

export function completeAttempt(unfolding: Unfolding, command: RunCommandOf<'complete-attempt'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind === 'ended' && standing.attempt.lease?.state === 'completed') return ACCEPTED;
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  if (standing.attempt.lease.state === 'granted') return refuseTransition('a lease', 'granted', command.type);
  endByReport(unfolding, standing.place, standing.attempt, command.report);
  return ACCEPTED;
}

/**
 * Nothing of the job ran, and nobody ever will say anything under this lease: it ends without having been acknowledged, and its
 * runner, which knows nothing of it, may have another.
 */
export function endUnbegunAttempt(unfolding: Unfolding, command: RunCommandOf<'end-unbegun-attempt'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind === 'ended' && standing.attempt.lease?.state === 'completed') return ACCEPTED;
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  if (standing.attempt.lease.state !== 'granted') return refuseTransition('a lease', 'active', command.type);
  endByReport(unfolding, standing.place, standing.attempt, command.report);
  return ACCEPTED;
}

/**
 * The runner was silent for longer than its lease. A lease that is over already needs nothing, nor does one that was
 * acknowledged after it was seen to run out: it has a new time.
 */
export function expireLease(unfolding: Unfolding, command: RunCommandOf<'expire-lease'>): Refused {
  const work = workOf(unfolding.run);
  const place = work === null ? null : placeOf(work, command.jobKey);
  if (work === null || place === null) return ACCEPTED;
  const job = jobAt(work.jobs, place);
  if (job.state !== 'active' || job.current.number !== command.attempt) return ACCEPTED;
  const attempt = job.current;
  if (attempt.state === 'queued' || attempt.state === 'finished') return ACCEPTED;
  if (attempt.lease.fence !== command.fence || !isLiveLease(attempt.lease)) return ACCEPTED;
  if (!command.wasActive && attempt.lease.state === 'active') return ACCEPTED;
  const { jobKey, fence, silentSinceMs } = command;
  unfolding.record({ type: 'lease.expired', data: { jobKey, attempt: attempt.number, fence, silentSinceMs } });
  endWithoutReport(unfolding, place, attempt, 'the runner was silent for longer than its lease');
  settleRun(unfolding);
  return ACCEPTED;
}

/** The runner is known to be dead: what it held is given to another at once. */
export function loseRunner(unfolding: Unfolding, { runnerId, reason }: RunCommandOf<'lose-runner'>): Refused {
  const work = workOf(unfolding.run);
  const held = work === null ? [] : work.live.filter((live) => live.runnerId === runnerId);
  for (const { job: place } of held) {
    const job = jobAt(unfolding.work.jobs, place);
    if (job.state !== 'active' || job.current.state === 'queued' || job.current.state === 'finished') continue;
    revokeLease(unfolding, place, job.current, reason);
    endWithoutReport(unfolding, place, job.current, reason);
  }
  if (held.length > 0) settleRun(unfolding);
  return ACCEPTED;
}

/** Ends an attempt with what its runner said. While canceling, work that was done in time still counts as done. */
export function endByReport(unfolding: Unfolding, place: number, attempt: HeldAttempt, report: CompletionReport): void {
  const verdict = attempt.state === 'canceling' ? verdictWhileCanceling(report) : verdictOf(report);
  const jobKey = plannedAt(unfolding.work, place).key;
  unfolding.record({ type: 'attempt.finished', data: { jobKey, attempt: attempt.number, ...verdict, report } });
  settleAttempt(unfolding, place);
  settleRun(unfolding);
}

/** Takes the lease away; what happens to the attempt is the caller's to record next. */
export function revokeLease(unfolding: Unfolding, place: number, attempt: HeldAttempt, reason: string): void {
  const jobKey = plannedAt(unfolding.work, place).key;
  const { fence } = attempt.lease;
  unfolding.record({ type: 'lease.revoked', data: { jobKey, attempt: attempt.number, fence, reason } });
}

/** Whether this lease ended by the runner's own acknowledgement of a cancel, or by a report while one was asked for. */
export function endedWhileCanceling(attempt: FinishedAttempt): boolean {
  return attempt.cancelRequested && attempt.reported !== null;
}

type Verdict = Pick<DomainEventOf<'attempt.finished'>['data'], 'outcome' | 'failureClass' | 'reason'>;

function verdictOf(report: CompletionReport): Verdict {
  if (reportsSuccess(report)) return { outcome: 'succeeded', failureClass: null, reason: 'every step succeeded' };
  const { class: failureClass, rule, because } = classifyFailure(report);
  const outcome = report.outcome === 'timed_out' ? 'timed_out' : 'failed';
  return { outcome, failureClass, reason: `${because} (${rule})` };
}

function verdictWhileCanceling(report: CompletionReport): Verdict {
  if (reportsSuccess(report)) {
    return { outcome: 'succeeded', failureClass: null, reason: 'it was done before the cancel reached it' };
  }
  return { outcome: 'canceled', failureClass: null, reason: 'the runner stopped it' };
}

function endWithoutReport(unfolding: Unfolding, place: number, attempt: HeldAttempt, reason: string): void {
  const canceled = attempt.state === 'canceling';
  unfolding.record({
    type: 'attempt.finished',
    data: {
      jobKey: plannedAt(unfolding.work, place).key,
      attempt: attempt.number,
      outcome: canceled ? 'canceled' : 'lost',
      failureClass: canceled ? null : 'infrastructure',
      reason,
      report: null,
    },
  });
  settleAttempt(unfolding, place);
}
