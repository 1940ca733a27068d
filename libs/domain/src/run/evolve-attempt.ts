import type { AttemptState, CompletionReport, DomainEventOf, RunPolicy } from '@delta-ci/contracts';
import { BrokenInvariant, present } from '../broken-invariant.ts';
import { ATTEMPT_MACHINE, type AttemptTrigger } from '../machines/attempt-machine.ts';
import { nextState } from '../machines/machine.ts';
import type { Work } from './aggregate.ts';
import { currentAttempt, heldAttempt, withAttempt } from './current-attempt.ts';
import { assertStep } from './evolve-job.ts';
import { endedByReport } from './evolve-lease.ts';
import type { ActiveJob, Attempt, FinishedAttempt, JobProgress, Lease } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { placeOf } from './plan-shape.ts';
import { withoutReady } from './ready-queue.ts';

/** Folds what happens to attempts; what happens to their leases is in `evolve-lease.ts`. */

export function attemptQueued(work: Work, policy: RunPolicy, data: DomainEventOf<'attempt.queued'>['data']): Work {
  const place = present(placeOf(work, data.jobKey), `job ${data.jobKey}`);
  const before = jobAt(work.jobs, place);
  assertStep(before, 'attempt.queued');
  const job = withNextAttempt(before, data);
  const admitted = before.state === 'ready' ? { ...work, ready: withoutReady(work.ready, place) } : work;
  return withAttempt(admitted, policy, place, job, job.current);
}

export function attemptStarted(work: Work, policy: RunPolicy, data: DomainEventOf<'attempt.started'>['data']): Work {
  return atPhase(work, policy, data, 'attempt.started', 'running');
}

export function attemptUploading(
  work: Work,
  policy: RunPolicy,
  data: DomainEventOf<'attempt.uploading'>['data'],
): Work {
  return atPhase(work, policy, data, 'attempt.uploading', 'uploading');
}

export function attemptCancelRequested(
  work: Work,
  policy: RunPolicy,
  data: DomainEventOf<'attempt.cancel-requested'>['data'],
): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  assertAttemptStep(attempt.state, 'attempt.cancel-requested');
  return withAttempt(work, policy, place, job, {
    state: 'canceling',
    number: attempt.number,
    lease: attempt.lease,
    artifacts: attempt.state === 'leased' ? [] : attempt.artifacts,
    cancelDeadlineAtMs: data.deadlineAtMs,
  });
}

export function attemptFinished(work: Work, policy: RunPolicy, data: DomainEventOf<'attempt.finished'>['data']): Work {
  const { place, job, attempt } = currentAttempt(work, data.jobKey, data.attempt);
  assertAttemptStep(attempt.state, 'attempt.finished');
  return withAttempt(work, policy, place, job, {
    state: 'finished',
    number: attempt.number,
    outcome: data.outcome,
    failureClass: data.failureClass,
    lease: leaseAfter(attempt, data.report),
    cancelRequested: attempt.state === 'canceling',
    reported: data.report === null ? null : data.report.outcome,
  });
}

/** @throws BrokenInvariant when the machine has no such step. */
export function assertAttemptStep(state: AttemptState, trigger: AttemptTrigger): void {
  nextState(ATTEMPT_MACHINE, state, trigger);
}

function leaseAfter(attempt: Attempt, report: CompletionReport | null): Lease | null {
  if (attempt.state !== 'queued' && attempt.state !== 'finished') return endedByReport(attempt, report);
  if (report !== null) throw new BrokenInvariant(`somebody reported on a ${attempt.state} attempt`);
  return null;
}

function withNextAttempt(job: JobProgress, data: DomainEventOf<'attempt.queued'>['data']): ActiveJob {
  const earlier = job.state === 'active' ? [...job.earlier, over(job.current)] : [];
  if (data.attempt !== earlier.length + 1) {
    throw new BrokenInvariant(`attempt ${data.attempt} of job ${data.jobKey} is not the next one`);
  }
  const lost = data.retryOf?.because === 'lost';
  const used = job.state === 'active' ? job : { retriesUsed: 0, lostRetriesUsed: 0 };
  return {
    state: 'active',
    earlier,
    current: {
      state: 'queued',
      number: data.attempt,
      pool: data.pool,
      queueDeadlineAtMs: data.queueDeadlineAtMs,
    },
    retriesUsed: used.retriesUsed + (data.retryOf !== null && !lost ? 1 : 0),
    lostRetriesUsed: used.lostRetriesUsed + (lost ? 1 : 0),
  };
}

function over(attempt: Attempt): FinishedAttempt {
  if (attempt.state === 'finished') return attempt;
  throw new BrokenInvariant(`attempt ${attempt.number} is followed by another before it finished`);
}

function atPhase(
  work: Work,
  policy: RunPolicy,
  data: { jobKey: string; attempt: number },
  trigger: 'attempt.started' | 'attempt.uploading',
  phase: 'running' | 'uploading',
): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  assertAttemptStep(attempt.state, trigger);
  if (attempt.state === 'leased' || attempt.state === 'canceling') {
    throw new BrokenInvariant(`a ${attempt.state} attempt has no phases`);
  }
  return withAttempt(work, policy, place, job, { ...attempt, state: phase });
}
