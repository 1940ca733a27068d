import type { JobKey, JobOutcome } from '@delta-ci/contracts';
import { BrokenInvariant, present } from '../broken-invariant.ts';
import { decideRetry } from '../retry/decide-retry.ts';
import type { Unfolding } from './decision.ts';
import type { ActiveJob, FinishedAttempt } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { plannedAt, satisfiesDependents } from './plan-shape.ts';
import { reasonOfRunOutcome } from './reason-of-run-outcome.ts';

/** What follows when attempts and jobs end: retries, dependents, admission, the end of the run. */

/** Whether the run starts nothing more: it is being canceled, or has failed fast. */
export function startsNothingMore(unfolding: Unfolding): boolean {
  return unfolding.run.state === 'canceling' || unfolding.work.failedFast;
}

/** After `attempt.finished`: another attempt, or the end of the job with all that follows from it. */
export function settleAttempt(unfolding: Unfolding, place: number, expiredInQueue = false): void {
  const { job, attempt } = justFinished(unfolding, place);
  const policy = plannedAt(unfolding.work, place).policy;
  const retry = startsNothingMore(unfolding)
    ? ({ retry: false, because: 'the run starts nothing more' } as const)
    : decideRetry({ outcome: attempt.outcome, failureClass: attempt.failureClass, expiredInQueue }, policy, job);
  if (retry.retry) {
    queueAttempt(unfolding, place, { attempt: attempt.number, because: retry.because });
  } else {
    finishJob(unfolding, place, outcomeOfJob(attempt), reasonOfJob(attempt, retry.because));
  }
}

/** `job.finished`, then its dependents readied or skipped, then, after a failure the run ends by, everything not started canceled. */
export function finishJob(unfolding: Unfolding, place: number, outcome: JobOutcome, reason: string): void {
  const failedFastBefore = unfolding.work.failedFast;
  const key = plannedAt(unfolding.work, place).key;
  unfolding.record({ type: 'job.finished', data: { jobKey: key, outcome, reason } });
  releaseDependents(unfolding, place);
  if (!failedFastBefore && unfolding.work.failedFast) {
    cancelNotStarted(
      unfolding,
      `job ${key} ${outcome === 'timed_out' ? 'timed out' : 'failed'} and the run fails fast`,
    );
  }
}

/** Ends every job that no runner has: blocked, ready, or queued. */
export function cancelNotStarted(unfolding: Unfolding, reason: string): void {
  for (let place = 0; place < unfolding.work.planned.length; place += 1) {
    const job = jobAt(unfolding.work.jobs, place);
    if (job.state === 'finished') continue;
    if (job.state === 'active' && job.current.state !== 'queued') continue;
    if (job.state === 'active') finishQueuedAttempt(unfolding, place, 'canceled', reason);
    const key = plannedAt(unfolding.work, place).key;
    unfolding.record({ type: 'job.finished', data: { jobKey: key, outcome: 'canceled', reason } });
  }
}

/** Ends an attempt that nobody holds; its job is the caller's to settle. */
export function finishQueuedAttempt(
  unfolding: Unfolding,
  place: number,
  outcome: 'canceled' | 'timed_out',
  reason: string,
): void {
  const job = jobAt(unfolding.work.jobs, place);
  if (job.state !== 'active') throw new BrokenInvariant('no attempt to end');
  unfolding.record({
    type: 'attempt.finished',
    data: {
      jobKey: plannedAt(unfolding.work, place).key,
      attempt: job.current.number,
      outcome,
      failureClass: outcome === 'timed_out' ? 'infrastructure' : null,
      reason,
      report: null,
    },
  });
}

/** After everything else: admits ready jobs while there is room, and finishes the run when nothing is left. */
export function settleRun(unfolding: Unfolding): void {
  if (unfolding.run.state === 'finished') return;
  if (!startsNothingMore(unfolding)) admitReadyJobs(unfolding);
  if (unfolding.work.unfinishedJobs === 0) finishRun(unfolding);
}

function admitReadyJobs(unfolding: Unfolding): void {
  if (unfolding.run.state !== 'queued' && unfolding.run.state !== 'running') return;
  const { maxConcurrency } = unfolding.run.facts.policy;
  while (unfolding.work.ready.length > 0 && unfolding.work.live.length < maxConcurrency) {
    queueAttempt(unfolding, present(unfolding.work.ready[0], 'a ready job'), null);
  }
}

function queueAttempt(
  unfolding: Unfolding,
  place: number,
  retryOf: { attempt: number; because: 'retryable-failure' | 'lost' | 'timeout' } | null,
): void {
  if (unfolding.run.state !== 'queued' && unfolding.run.state !== 'running') {
    throw new BrokenInvariant(`a ${unfolding.run.state} run queues nothing`);
  }
  const { key, policy, requirements } = plannedAt(unfolding.work, place);
  unfolding.record({
    type: 'attempt.queued',
    data: {
      jobKey: key,
      attempt: (retryOf?.attempt ?? 0) + 1,
      pool: requirements.pool,
      priority: policy.priority,
      requirements,
      queueDeadlineAtMs: unfolding.nowMs + unfolding.run.facts.policy.queueTimeoutMs,
      retryOf,
    },
  });
}

/** Walks down from a finished job: readies what has all it needs, skips what cannot have it any more. */
function releaseDependents(unfolding: Unfolding, place: number): void {
  const ended = [place];
  for (const needed of ended) {
    const key = plannedAt(unfolding.work, needed).key;
    for (const dependent of present(unfolding.work.dependents[needed], 'dependents')) {
      if (releaseDependent(unfolding, key, needed, dependent) === 'skipped') ended.push(dependent);
    }
  }
}

function releaseDependent(
  unfolding: Unfolding,
  neededKey: JobKey,
  needed: number,
  dependent: number,
): 'skipped' | 'readied' | 'waiting' {
  const { work } = unfolding;
  const job = jobAt(work.jobs, dependent);
  if (job.state !== 'blocked') return 'waiting';
  const ended = jobAt(work.jobs, needed);
  if (ended.state !== 'finished') throw new BrokenInvariant('a job is released before its need finished');
  const key = plannedAt(work, dependent).key;
  if (!satisfiesDependents(plannedAt(work, needed).policy, ended.outcome)) {
    const reason = `it needs ${neededKey}, which ${PAST[ended.outcome]}`;
    unfolding.record({ type: 'job.finished', data: { jobKey: key, outcome: 'skipped', reason } });
    return 'skipped';
  }
  if (job.unmetNeeds > 0 || startsNothingMore(unfolding)) return 'waiting';
  unfolding.record({ type: 'job.readied', data: { jobKey: key } });
  return 'readied';
}

const PAST: Readonly<Record<JobOutcome, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'was canceled',
  timed_out: 'timed out',
  skipped: 'was skipped',
};

function finishRun(unfolding: Unfolding): void {
  const { run } = unfolding;
  if (run.state !== 'canceling') finishByItsJobs(unfolding);
  else unfolding.record({ type: 'run.finished', data: { outcome: 'canceled', reason: run.reason } });
}

/** Ends a run whose jobs have all ended with what they came to. */
export function finishByItsJobs(unfolding: Unfolding): void {
  const { work } = unfolding;
  const outcome = work.failures > 0 ? 'failed' : 'succeeded';
  unfolding.record({ type: 'run.finished', data: { outcome, reason: reasonOfRunOutcome(work) } });
}

function justFinished(unfolding: Unfolding, place: number): { job: ActiveJob; attempt: FinishedAttempt } {
  const job = jobAt(unfolding.work.jobs, place);
  if (job.state !== 'active' || job.current.state !== 'finished') {
    throw new BrokenInvariant('no finished attempt to settle');
  }
  return { job, attempt: job.current };
}

/** A job whose last runner was lost has failed: nobody knows that it works. */
function outcomeOfJob(attempt: FinishedAttempt): JobOutcome {
  return attempt.outcome === 'lost' ? 'failed' : attempt.outcome;
}

function reasonOfJob(attempt: FinishedAttempt, whyNoRetry: string): string {
  if (attempt.outcome === 'succeeded' || attempt.outcome === 'canceled') {
    return `attempt ${attempt.number} ${PAST[attempt.outcome]}`;
  }
  const ended = attempt.outcome === 'lost' ? 'lost its runner' : PAST[attempt.outcome];
  return `attempt ${attempt.number} ${ended}; no further attempt: ${whyNoRetry}`;
}
