import type { CompletionReport, DomainEventOf, RunPolicy } from '@delta-ci/contracts';
import { BrokenInvariant, present } from '../broken-invariant.ts';
import { LEASE_MACHINE, type LeaseTrigger } from '../machines/lease-machine.ts';
import { nextState } from '../machines/machine.ts';
import type { Work } from './aggregate.ts';
import { currentAttempt, heldAttempt, withAttempt } from './current-attempt.ts';
import type {
  CancelingAttempt,
  HeldAttempt,
  JobProgress,
  Lease,
  LeasedAttempt,
  WorkingAttempt,
} from './job-progress.ts';
import { isLiveLease } from './job-progress.ts';
import { jobAt, withJobAt } from './job-table.ts';
import { withLeasePlace } from './lease-index.ts';
import { placeOf } from './plan-shape.ts';

/** Folds what happens to leases. A lease lives inside its attempt; the index finds it by hash. */

export function leaseGranted(work: Work, policy: RunPolicy, data: DomainEventOf<'lease.granted'>['data']): Work {
  const { place, job, attempt } = currentAttempt(work, data.jobKey, data.attempt);
  if (attempt.state !== 'queued') throw new BrokenInvariant(`a ${attempt.state} attempt is granted to a runner`);
  if (data.fence !== attempt.number) throw new BrokenInvariant(`fence ${data.fence} is not the attempt's number`);
  const lease: Lease = {
    state: nextState(LEASE_MACHINE, null, 'lease.granted'),
    hash: data.leaseHash,
    fence: data.fence,
    runnerId: data.runnerId,
    staleReports: 0,
    handedOut: false,
    debugOpened: false,
  };
  const indexed = {
    ...work,
    leases: withLeasePlace(work.leases, { hash: data.leaseHash, job: place, attempt: data.attempt }),
  };
  return withAttempt(indexed, policy, place, job, { state: 'leased', number: attempt.number, lease });
}

export function leaseActivated(work: Work, policy: RunPolicy, data: DomainEventOf<'lease.activated'>['data']): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  if (attempt.state !== 'leased' && attempt.state !== 'canceling') {
    throw new BrokenInvariant(`the lease of a ${attempt.state} attempt is activated`);
  }
  return withAttempt(work, policy, place, job, activated(attempt, data.jobDeadlineAtMs));
}

export function secretsHandedOut(
  work: Work,
  policy: RunPolicy,
  data: DomainEventOf<'lease.secrets-handed-out'>['data'],
): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  if (attempt.lease.handedOut) throw new BrokenInvariant('a lease hands out its secrets a second time');
  return withAttempt(work, policy, place, job, { ...attempt, lease: { ...attempt.lease, handedOut: true } });
}

export function debugOpened(work: Work, policy: RunPolicy, data: DomainEventOf<'debug.opened'>['data']): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  if (attempt.lease.handedOut) throw new BrokenInvariant('a shell where secrets were handed out');
  return withAttempt(work, policy, place, job, { ...attempt, lease: { ...attempt.lease, debugOpened: true } });
}

/** `lease.expired` and `lease.revoked`: the runner may no longer speak; `attempt.finished` follows. */
export function leaseEnded(
  work: Work,
  policy: RunPolicy,
  trigger: 'lease.expired' | 'lease.revoked',
  data: DomainEventOf<'lease.expired' | 'lease.revoked'>['data'],
): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  return withAttempt(work, policy, place, job, { ...attempt, lease: moved(attempt.lease, trigger) });
}

/** Counts a report that came too late, so that what is recorded of them stays bounded. */
export function staleReportRefused(work: Work, data: DomainEventOf<'lease.stale-report-refused'>['data']): Work {
  const place = present(placeOf(work, data.jobKey), `job ${data.jobKey}`);
  const counted = withStaleReport(jobAt(work.jobs, place), data.attempt);
  return { ...work, jobs: withJobAt(work.jobs, place, counted) };
}

export function artifactRecorded(
  work: Work,
  policy: RunPolicy,
  data: DomainEventOf<'artifact.recorded'>['data'],
): Work {
  const { place, job, attempt } = heldAttempt(work, data.jobKey, data.attempt);
  if (attempt.state === 'leased') throw new BrokenInvariant('an artifact of a lease nobody acknowledged');
  const artifact = { name: data.artifact.name, digest: data.artifact.digest };
  return withAttempt(work, policy, place, job, { ...attempt, artifacts: [...attempt.artifacts, artifact] });
}

/** The lease after its attempt finished: ended by the runner's report, unless it had been taken away before. */
export function endedByReport(attempt: HeldAttempt, report: CompletionReport | null): Lease {
  const { lease } = attempt;
  if (!isLiveLease(lease)) {
    if (report !== null) throw new BrokenInvariant(`a report counted although its lease was ${lease.state}`);
    return lease;
  }
  if (report === null) throw new BrokenInvariant('an attempt finished without a report while its lease was live');
  const stopped = attempt.state === 'canceling' && report.outcome === 'canceled';
  return moved(lease, stopped ? 'attempt.finished (canceled)' : 'attempt.finished (completed)');
}

function moved(lease: Lease, trigger: LeaseTrigger): Lease {
  return { ...lease, state: nextState(LEASE_MACHINE, lease.state, trigger) };
}

function activated(
  attempt: LeasedAttempt | CancelingAttempt,
  jobDeadlineAtMs: number,
): WorkingAttempt | CancelingAttempt {
  const lease = moved(attempt.lease, 'lease.activated');
  if (attempt.state === 'canceling') return { ...attempt, lease };
  return { state: 'starting', number: attempt.number, lease, artifacts: [], jobDeadlineAtMs };
}

function withStaleReport(job: JobProgress, number: number): JobProgress {
  const count = <A extends { number: number; lease: Lease | null }>(attempt: A): A =>
    attempt.number === number && attempt.lease !== null
      ? { ...attempt, lease: { ...attempt.lease, staleReports: attempt.lease.staleReports + 1 } }
      : attempt;
  if (job.state === 'finished') return { ...job, attempts: job.attempts.map(count) };
  if (job.state !== 'active') throw new BrokenInvariant('a stale report about a job that was never leased');
  const current = job.current.state === 'queued' ? job.current : count(job.current);
  return { ...job, earlier: job.earlier.map(count), current };
}
