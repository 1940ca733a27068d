import { refuse } from '@delta-ci/contracts';
import { workOf } from './aggregate.ts';
import { endByReport, endedWhileCanceling } from './completion-and-retry.ts';
import { ACCEPTED, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import { jobAt } from './job-table.ts';
import { refuseStale, standingOf } from './lease-standing.ts';
import { onlyShadowsLeft, plannedAt } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';
import { cancelNotStarted, settleRun } from './settle.ts';

/** Cancel is two-phase: asked for with a deadline here, then acknowledged, or forced when the deadline has passed. */

export function cancelRun(unfolding: Unfolding, { reason }: RunCommandOf<'cancel-run'>): Refused {
  const { run } = unfolding;
  if (run.state === 'finished') return refuse('not_cancelable', `the run has finished already: ${run.outcome}`);
  if (run.state !== 'canceling') requestCancel(unfolding, reason);
  return ACCEPTED;
}

/** A newer head took this run's place. Nothing to do for a run that is over, or whose policy keeps older runs. */
export function supersedeRun(unfolding: Unfolding, { by }: RunCommandOf<'supersede-run'>): Refused {
  const { run } = unfolding;
  if (run.state === 'absent' || run.state === 'finished') return ACCEPTED;
  if (by === run.facts.runId) return refuse('invalid_request', 'a run does not supersede itself');
  if (run.facts.supersededBy !== null || !run.facts.policy.cancelSuperseded) return ACCEPTED;
  unfolding.record({ type: 'run.superseded', data: { by } });
  if (run.state !== 'canceling') requestCancel(unfolding, `superseded by ${by}`);
  return ACCEPTED;
}

export function acknowledgeCancel(unfolding: Unfolding, command: RunCommandOf<'acknowledge-cancel'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind === 'ended' && endedWhileCanceling(standing.attempt)) return ACCEPTED;
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { attempt, place } = standing;
  if (attempt.state !== 'canceling') return refuse('cancel_not_requested', 'nobody asked to cancel this attempt');
  if (attempt.lease.state === 'granted' && command.report.outcome !== 'canceled') {
    return refuseTransition('a lease', 'granted', command.type);
  }
  endByReport(unfolding, place, attempt, command.report);
  return ACCEPTED;
}

function requestCancel(unfolding: Unfolding, reason: string): void {
  const { run, nowMs } = unfolding;
  if (run.state === 'absent') return;
  const deadlineAtMs = nowMs + run.facts.policy.cancelDeadlineMs;
  const work = workOf(run);
  // What the run came to stands: its shadows are stopped, and it ends by its jobs.
  if (work === null || !onlyShadowsLeft(work)) {
    unfolding.record({ type: 'run.cancel-requested', data: { reason, deadlineAtMs } });
  }
  if (work === null) {
    unfolding.record({ type: 'run.finished', data: { outcome: 'canceled', reason } });
    return;
  }
  cancelNotStarted(unfolding, reason);
  for (const { job: place } of unfolding.work.live) askToStop(unfolding, place, reason, deadlineAtMs);
  settleRun(unfolding);
}

function askToStop(unfolding: Unfolding, place: number, reason: string, deadlineAtMs: number): void {
  const job = jobAt(unfolding.work.jobs, place);
  if (job.state !== 'active' || job.current.state === 'canceling') return;
  const jobKey = plannedAt(unfolding.work, place).key;
  unfolding.record({
    type: 'attempt.cancel-requested',
    data: { jobKey, attempt: job.current.number, reason, deadlineAtMs },
  });
}
