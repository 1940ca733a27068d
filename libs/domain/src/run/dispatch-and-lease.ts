import { refuse, type Refusal } from '@delta-ci/contracts';
import type { PlannedRun } from './aggregate.ts';
import { ACCEPTED, refuseBecause, refuseTransition, type Refused, type Unfolding } from './decision.ts';
import type { ActiveJob, QueuedAttempt } from './job-progress.ts';
import { jobAt } from './job-table.ts';
import { findLeasePlace } from './lease-index.ts';
import { refuseStale, standingOf } from './lease-standing.ts';
import { placeOf, plannedAt } from './plan-shape.ts';
import type { RunCommandOf } from './run-command.ts';

/** A queued attempt gets its runner, and the runner says how far it is. */

export function grantLease(unfolding: Unfolding, command: RunCommandOf<'grant-lease'>): Refused {
  const { run } = unfolding;
  if (run.state !== 'queued' && run.state !== 'running') return refuseTransition('a run', run.state, command.type);
  if (findLeasePlace(run.work.leases, command.leaseHash) !== null) return repeatedGrant(unfolding, command);
  const problem = grantProblem(run, command, unfolding.nowMs);
  if (problem !== null) return problem;
  if (run.state === 'queued') unfolding.record({ type: 'run.started', data: {} });
  const { jobKey, attempt, leaseHash, runnerId } = command;
  const expiresAtMs = unfolding.nowMs + run.facts.policy.leaseAcceptanceMs;
  unfolding.record({
    type: 'lease.granted',
    data: { jobKey, attempt, fence: attempt, leaseHash, runnerId, expiresAtMs },
  });
  return ACCEPTED;
}

/**
 * What a job may know that nobody else may, recorded before it is given away: once for each lease, while nothing of the job
 * runs. Whether the change is trusted is looked at here, in what the run was created with, whatever its plan says.
 */
export function handOutSecrets(unfolding: Unfolding, command: RunCommandOf<'hand-out-secrets'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { run } = unfolding;
  const { attempt, place } = standing;
  if (run.state === 'absent' || run.facts.change.trust !== 'trusted')
    return refuse('forbidden', 'the change is not trusted, and gets no secrets');
  if (run.facts.rerun?.debug !== undefined) return refuse('forbidden', 'the run is for debugging, and gets no secrets');
  if (attempt.state !== 'leased') return refuseTransition('an attempt', attempt.state, command.type);
  if (attempt.lease.handedOut)
    return refuse('conflicting_repeat', 'this lease has handed out its secrets, and does so once');
  const { fence, runnerId } = attempt.lease;
  const data = { jobKey: plannedAt(unfolding.work, place).key, attempt: attempt.number, fence, runnerId };
  unfolding.record({ type: 'lease.secrets-handed-out', data: { ...data, ...command.handOut } });
  return ACCEPTED;
}

/** From here the job's own time runs. Repeating it changes nothing. */
export function acknowledgeLease(unfolding: Unfolding, command: RunCommandOf<'acknowledge-lease'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { attempt, place } = standing;
  if (attempt.lease.state === 'active') return ACCEPTED;
  const { key, policy } = plannedAt(unfolding.work, place);
  const jobDeadlineAtMs = unfolding.nowMs + policy.timeoutMs;
  unfolding.record({
    type: 'lease.activated',
    data: { jobKey: key, attempt: attempt.number, fence: attempt.lease.fence, jobDeadlineAtMs },
  });
  return ACCEPTED;
}

/** Progress moves forward only: an older or a repeated phase is accepted and adds nothing. */
export function reportProgress(unfolding: Unfolding, command: RunCommandOf<'report-progress'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);
  const { attempt, place } = standing;
  if (attempt.lease.state === 'granted') return refuseTransition('a lease', 'granted', command.type);
  const data = { jobKey: plannedAt(unfolding.work, place).key, attempt: attempt.number };
  if (command.phase === 'running' && attempt.state === 'starting') {
    unfolding.record({ type: 'attempt.started', data });
  }
  if (command.phase === 'uploading' && (attempt.state === 'starting' || attempt.state === 'running')) {
    unfolding.record({ type: 'attempt.uploading', data });
  }
  return ACCEPTED;
}

/** A grant with a hash that was granted before: the same grant again, or somebody else's. */
function repeatedGrant(unfolding: Unfolding, command: RunCommandOf<'grant-lease'>): Refused {
  const standing = standingOf(unfolding.run, command.leaseHash, command.runnerId);
  if (standing.kind === 'held') {
    const { key } = plannedAt(unfolding.work, standing.place);
    if (key === command.jobKey && standing.attempt.number === command.attempt) return ACCEPTED;
  }
  return refuse('conflicting_repeat', 'this lease was granted before, for something else or to somebody else');
}

function grantProblem(run: PlannedRun, command: RunCommandOf<'grant-lease'>, nowMs: number): Refusal | null {
  const place = placeOf(run.work, command.jobKey);
  if (place === null) return refuse('not_found', `the plan has no job ${command.jobKey}`);
  const job = jobAt(run.work.jobs, place);
  if (job.state !== 'active') return refuseTransition('a job', job.state, command.type);
  const queued = queuedAttempt(job, command.attempt);
  if (queued === null) {
    const state = job.current.number === command.attempt ? job.current.state : 'over';
    return refuseTransition('an attempt', state, command.type);
  }
  if (queued.queueDeadlineAtMs <= nowMs || run.work.deadlineAtMs <= nowMs) {
    return refuseBecause('invalid_transition', 'deadline_passed', 'its time to start has passed');
  }
  if (run.work.live.some((live) => live.runnerId === command.runnerId)) {
    return refuseBecause('invalid_transition', 'runner_busy', 'the runner holds another lease of this run');
  }
  return null;
}

function queuedAttempt(job: ActiveJob, number: number): QueuedAttempt | null {
  return job.current.state === 'queued' && job.current.number === number ? job.current : null;
}
