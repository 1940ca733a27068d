import type { EpochMs } from '@delta-ci/contracts';
import type { PlannedRun, RunAggregate } from './aggregate.ts';
import { attemptDeadlineMs } from './attempt-deadline.ts';
import { revokeLease } from './completion-and-retry.ts';
import { ACCEPTED, type Refused, type Unfolding } from './decision.ts';
import type { HeldAttempt } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { onlyShadowsLeft, plannedAt } from './plan-shape.ts';
import { cancelNotStarted, finishByItsJobs, finishQueuedAttempt, settleAttempt, settleRun } from './settle.ts';

/** What time alone does to a run: everything that is due at `nowMs`, and when the next thing will be. */

/** The earliest deadline of the run, other than the expiry of a lease; null when time changes nothing. */
export function nextDeadlineMs(run: RunAggregate): EpochMs | null {
  switch (run.state) {
    case 'absent':
    case 'created':
    case 'finished':
      return null;
    case 'planning':
      return run.deadlineAtMs;
    case 'queued':
    case 'running':
      return earliest(run.work.deadlineAtMs, run.work.live);
    case 'canceling':
      return run.work === null ? null : earliest(null, run.work.live);
  }
}

export function enforceDeadlines(unfolding: Unfolding): Refused {
  const { run, nowMs } = unfolding;
  if (run.state === 'planning' && run.deadlineAtMs <= nowMs)
    failPlanning(unfolding, run.facts.policy.planningTimeoutMs);
  if (run.state !== 'queued' && run.state !== 'running' && run.state !== 'canceling') return ACCEPTED;
  if (run.state !== 'canceling' && run.work.deadlineAtMs <= nowMs) timeOutRun(unfolding, run);
  else enforceAttempts(unfolding);
  return ACCEPTED;
}

function earliest(first: EpochMs | null, live: readonly { deadlineAtMs: EpochMs | null }[]): EpochMs | null {
  let earliestMs = first;
  for (const { deadlineAtMs } of live) {
    if (deadlineAtMs !== null && (earliestMs === null || deadlineAtMs < earliestMs)) earliestMs = deadlineAtMs;
  }
  return earliestMs;
}

function failPlanning(unfolding: Unfolding, planningTimeoutMs: number): void {
  const message = `no plan within ${planningTimeoutMs} ms`;
  const code = 'planning_timed_out';
  unfolding.record({ type: 'run.planning-failed', data: { code, message, inputsDigest: null } });
  unfolding.record({ type: 'run.finished', data: { outcome: 'timed_out', reason: message } });
}

/** The whole run is over: what nobody has is canceled, what runners have is taken away from them. */
function timeOutRun(unfolding: Unfolding, run: PlannedRun): void {
  const reason = `the run reached its limit of ${run.facts.policy.runTimeoutMs} ms`;
  const settled = onlyShadowsLeft(run.work);
  cancelNotStarted(unfolding, reason);
  for (const { job: place } of unfolding.work.live) {
    const job = jobAt(unfolding.work.jobs, place);
    if (job.state !== 'active' || job.current.state === 'queued' || job.current.state === 'finished') continue;
    takeAway(unfolding, place, job.current, 'timed_out', reason);
    const jobKey = plannedAt(unfolding.work, place).key;
    unfolding.record({ type: 'job.finished', data: { jobKey, outcome: 'timed_out', reason } });
  }
  if (settled) finishByItsJobs(unfolding);
  else unfolding.record({ type: 'run.finished', data: { outcome: 'timed_out', reason } });
}

function enforceAttempts(unfolding: Unfolding): void {
  const due = unfolding.work.live.filter((live) => isDue(live.deadlineAtMs, unfolding.nowMs));
  for (const { job } of due) enforceAttempt(unfolding, job);
  if (due.length > 0) settleRun(unfolding);
}

/** Looks again before it acts: the end of another attempt may have ended this one too. */
function enforceAttempt(unfolding: Unfolding, place: number): void {
  const job = jobAt(unfolding.work.jobs, place);
  if (job.state !== 'active' || unfolding.run.state === 'absent') return;
  const attempt = job.current;
  const { policy } = unfolding.run.facts;
  if (attempt.state === 'finished' || !isDue(attemptDeadlineMs(attempt, policy), unfolding.nowMs)) return;
  if (attempt.state === 'queued') {
    finishQueuedAttempt(unfolding, place, 'timed_out', `no runner took it within ${policy.queueTimeoutMs} ms`);
    settleAttempt(unfolding, place, true);
    return;
  }
  if (attempt.state === 'canceling') {
    takeAway(unfolding, place, attempt, 'canceled', 'it did not stop by the deadline of the cancel');
  } else {
    const { timeoutMs } = plannedAt(unfolding.work, place).policy;
    takeAway(unfolding, place, attempt, 'timed_out', `the job reached its limit of ${timeoutMs} ms`);
  }
  settleAttempt(unfolding, place);
}

function takeAway(
  unfolding: Unfolding,
  place: number,
  attempt: HeldAttempt,
  outcome: 'canceled' | 'timed_out',
  reason: string,
): void {
  revokeLease(unfolding, place, attempt, reason);
  const jobKey = plannedAt(unfolding.work, place).key;
  const failureClass = outcome === 'timed_out' ? 'unknown' : null;
  unfolding.record({
    type: 'attempt.finished',
    data: { jobKey, attempt: attempt.number, outcome, failureClass, reason, report: null },
  });
}

function isDue(deadlineAtMs: EpochMs | null, nowMs: EpochMs): boolean {
  return deadlineAtMs !== null && deadlineAtMs <= nowMs;
}
