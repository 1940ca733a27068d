import type {
  Actor,
  AttemptState,
  CacheRecord,
  CompletionReport,
  DomainEvent,
  DomainEventOf,
  JobKey,
} from '@delta-ci/contracts';
import { unreachable } from '../broken-invariant.ts';
import type { RunAggregate } from '../run/aggregate.ts';
import { attemptsOf, type FinishedAttempt, type HeldAttempt, type Lease } from '../run/job-progress.ts';
import { jobOf } from '../run/read-run.ts';
import type { RunCommand, RunnerReportType } from '../run/run-command.ts';

/**
 * What was asked of a run, read back from what was recorded. The first event of a decision says which command it was and
 * carries what came with it from outside (a plan, a report, a reason); lease and runner stand in the run already. What
 * the command led to, the decider says again.
 */

/** A recorded event as far as its decision needs it. */
export interface RecordedStep {
  readonly event: DomainEvent;
  readonly actor: Actor;
}

/**
 * The command that `first` was decided on, `next` being the event after it. Null when no command begins like that in
 * this state: then the log was not written by these deciders.
 */
export function commandBehind(run: RunAggregate, first: RecordedStep, next: DomainEvent | null): RunCommand | null {
  // Whatever the time alone led to was found by one timer, and the time is all it asks with.
  if (first.actor.kind === 'timer' && first.actor.name === 'enforce-deadlines') return { type: 'enforce-deadlines' };
  const { event } = first;
  switch (event.type) {
    case 'run.created':
      return { type: 'create-run', data: event.data };
    case 'run.planned':
      return recordPlan(event.data);
    case 'run.planning-failed':
      return { type: 'record-planning-failure', ...event.data };
    case 'run.started':
      return next?.type === 'lease.granted' ? grantLease(next.data) : null;
    case 'lease.granted':
      return grantLease(event.data);
    case 'run.cancel-requested':
      return { type: 'cancel-run', reason: event.data.reason };
    case 'run.superseded':
      return { type: 'supersede-run', by: event.data.by };
    case 'lease.expired':
      // What was seen only keeps a lease from being expired, and this one was.
      return { type: 'expire-lease', wasActive: true, ...event.data };
    case 'failure.explained':
      return { type: 'record-explanation', ...event.data };
    case 'publication.recorded':
      return { type: 'record-publication', data: event.data };
    case 'lease.revoked':
    case 'lease.secrets-handed-out':
    case 'lease.activated':
    case 'debug.opened':
    case 'attempt.started':
    case 'attempt.uploading':
    case 'artifact.recorded':
    case 'cache.saved':
    case 'attempt.finished':
    case 'lease.stale-report-refused':
      return wordOfHolder(run, event) ?? stoppedShadow(event);
    case 'attempt.cancel-requested':
    case 'job.finished':
      return stoppedShadow(event);
    // These follow from others: no command begins with them.
    case 'run.planning-started':
    case 'run.finished':
    case 'run.reported':
    case 'job.readied':
    case 'attempt.queued':
      return null;
    // And these are in no run's stream.
    case 'delivery.accepted':
    case 'delivery.ignored':
    case 'recipe.learned':
    case 'recipe.staled':
    case 'runner.registered':
    case 'runner.retired':
    case 'scaling.decided':
    case 'policy.changed':
    case 'checkpoint.signed':
    case 'operator.acted':
    case 'artifact.expired':
    case 'cache.removed':
      return null;
    default:
      return unreachable(event);
  }
}

function recordPlan(data: DomainEventOf<'run.planned'>['data']): RunCommand {
  const { deadlineAtMs: _, ...plan } = data;
  return { type: 'record-plan', ...plan };
}

function grantLease({ jobKey, attempt, leaseHash, runnerId }: DomainEventOf<'lease.granted'>['data']): RunCommand {
  return { type: 'grant-lease', jobKey, attempt, leaseHash, runnerId };
}

function handOutSecrets(
  { secrets, idTokens }: DomainEventOf<'lease.secrets-handed-out'>['data'],
  by: { leaseHash: string; runnerId: string },
): RunCommand {
  return { type: 'hand-out-secrets', ...by, handOut: { secrets, idTokens } };
}

type HolderEvent = DomainEventOf<
  | 'lease.revoked'
  | 'lease.secrets-handed-out'
  | 'lease.activated'
  | 'debug.opened'
  | 'attempt.started'
  | 'attempt.uploading'
  | 'artifact.recorded'
  | 'cache.saved'
  | 'attempt.finished'
  | 'lease.stale-report-refused'
>;

/** What the runner that held the lease said, or what was said of that runner. */
function wordOfHolder(run: RunAggregate, event: HolderEvent): RunCommand | null {
  const attempt = attemptAt(run, event.data.jobKey, event.data.attempt);
  if (attempt === null || attempt.lease === null) return null;
  const { lease } = attempt;
  const by = { leaseHash: lease.hash, runnerId: lease.runnerId };
  switch (event.type) {
    case 'lease.revoked':
      return { type: 'lose-runner', runnerId: lease.runnerId, reason: event.data.reason };
    case 'lease.secrets-handed-out':
      return handOutSecrets(event.data, by);
    case 'lease.activated':
      return { type: 'acknowledge-lease', ...by };
    case 'debug.opened':
      return { type: 'open-debug', ...by, logOffset: event.data.logOffset };
    case 'attempt.started':
      return { type: 'report-progress', ...by, phase: 'running' };
    case 'attempt.uploading':
      return { type: 'report-progress', ...by, phase: 'uploading' };
    case 'artifact.recorded':
      return { type: 'record-artifact', ...by, artifact: event.data.artifact };
    case 'cache.saved':
      return { type: 'record-cache', ...by, cache: event.data.cache };
    case 'attempt.finished':
      return endOfAttempt(event.data, by, { lease, state: attempt.state });
    case 'lease.stale-report-refused':
      return staleReport(event.data, lease);
    default:
      return unreachable(event);
  }
}

/** Canceling a run whose result is settled stops its shadows, and says of each why. */
function stoppedShadow({ type, data }: DomainEvent): RunCommand | null {
  const stops = type === 'attempt.cancel-requested';
  const ends = (type === 'attempt.finished' || type === 'job.finished') && data.outcome === 'canceled';
  return stops || ends ? { type: 'cancel-run', reason: data.reason } : null;
}

/**
 * A completion and the acknowledgement of a cancel lead to the same events wherever both are taken. Under a lease that was never
 * acknowledged the latter is, and the word that the attempt cannot begin; these, too, lead to the same wherever both are taken.
 */
function endOfAttempt(
  { report }: DomainEventOf<'attempt.finished'>['data'],
  by: { leaseHash: string; runnerId: string },
  { lease, state }: { lease: Lease; state: AttemptState },
): RunCommand | null {
  if (report === null) return null;
  if (lease.state !== 'granted') return { type: 'complete-attempt', ...by, report };
  const stopped = state === 'canceling' && report.outcome === 'canceled';
  return { type: stopped ? 'acknowledge-cancel' : 'end-unbegun-attempt', ...by, report };
}

/** A stale report is refused whatever it says, so what it said was not recorded. */
function staleReport(
  { report, runnerId }: DomainEventOf<'lease.stale-report-refused'>['data'],
  { hash }: Lease,
): RunCommand | null {
  if (runnerId === null) return null;
  const by = { leaseHash: hash, runnerId };
  switch (report as RunnerReportType) {
    case 'hand-out-secrets':
      return { type: 'hand-out-secrets', ...by, handOut: { secrets: [], idTokens: [] } };
    case 'end-unbegun-attempt':
      return { type: 'end-unbegun-attempt', ...by, report: UNREAD_REPORT };
    case 'acknowledge-lease':
      return { type: 'acknowledge-lease', ...by };
    case 'open-debug':
      return { type: 'open-debug', ...by, logOffset: 0 };
    case 'report-progress':
      return { type: 'report-progress', ...by, phase: 'running' };
    case 'complete-attempt':
      return { type: 'complete-attempt', ...by, report: UNREAD_REPORT };
    case 'acknowledge-cancel':
      return { type: 'acknowledge-cancel', ...by, report: UNREAD_REPORT };
    case 'record-artifact':
      return { type: 'record-artifact', ...by, artifact: UNREAD_ARTIFACT };
    case 'record-cache':
      return { type: 'record-cache', ...by, cache: UNREAD_CACHE };
    default:
      return null;
  }
}

const UNREAD_REPORT: CompletionReport = {
  outcome: 'canceled',
  exitCode: null,
  signal: null,
  steps: [],
  usage: { wallMs: 0, cpuMs: null, memoryPeakBytes: null },
  artifacts: [],
  caches: [],
  infrastructureError: null,
  logBytes: 0,
  logTruncated: false,
  runnerStartedAtMs: 0,
  runnerFinishedAtMs: 0,
  summary: '',
};

const UNREAD_ARTIFACT = {
  name: 'unread',
  type: 'file',
  digest: `sha256:${'0'.repeat(64)}`,
  sizeBytes: 0,
  retentionDays: 1,
} as const;

const UNREAD_CACHE: CacheRecord = {
  key: 'unread',
  digest: UNREAD_ARTIFACT.digest,
  sizeBytes: 1,
  contentBytes: 1,
  content: { home: [], workspace: [{ digest: UNREAD_ARTIFACT.digest, sizeBytes: 1, contentBytes: 1 }] },
};

/** Null where it is not there, or nobody's yet. */
function attemptAt(run: RunAggregate, key: JobKey, number: number): HeldAttempt | FinishedAttempt | null {
  const job = jobOf(run, key);
  const attempt = job === null ? undefined : attemptsOf(job.progress).find((candidate) => candidate.number === number);
  return attempt === undefined || attempt.state === 'queued' ? null : attempt;
}
