import type { ProjectedEvent } from './projected-event.ts';
import { patch, put, type RowChange } from './row-change.ts';
import { runIdOf } from './run-rows.ts';

/** Rows of `attempt` and `lease`, and what is recorded about an attempt. */

type AttemptEvent = Extract<ProjectedEvent, { data: { jobKey: string; attempt: number } }>;

const attemptKey = (event: AttemptEvent) => ({
  run_id: runIdOf(event),
  job_key: event.data.jobKey,
  attempt: event.data.attempt,
});

/** The fence of an attempt's lease is the attempt's number. */
const leaseKey = (event: AttemptEvent) => ({
  run_id: runIdOf(event),
  job_key: event.data.jobKey,
  fence: event.data.attempt,
});

export function onAttemptQueued(event: ProjectedEvent<'attempt.queued'>): RowChange[] {
  const { pool, priority, requirements, queueDeadlineAtMs, retryOf } = event.data;
  const row = put('attempt', {
    ...attemptKey(event),
    state: 'queued',
    waiting: true,
    outcome: null,
    failure_class: null,
    reason: '',
    pool,
    priority,
    requirements,
    retry_of: retryOf,
    traceparent: event.traceparent,
    runner_id: null,
    queued_at_ms: event.atMs,
    queue_deadline_at_ms: queueDeadlineAtMs,
    leased_at_ms: null,
    started_at_ms: null,
    finished_at_ms: null,
    cancel_deadline_at_ms: null,
    report: null,
  });
  return [row, patch('job', { run_id: runIdOf(event), job_key: event.data.jobKey }, { state: 'active' })];
}

export function onLeaseGranted(event: ProjectedEvent<'lease.granted'>): RowChange[] {
  const { leaseHash, runnerId, expiresAtMs } = event.data;
  const leased = { state: 'leased', waiting: false, runner_id: runnerId, leased_at_ms: event.atMs };
  const lease = put('lease', {
    ...leaseKey(event),
    lease_hash: leaseHash,
    runner_id: runnerId,
    state: 'granted',
    live: true,
    granted_at_ms: event.atMs,
    expires_at_ms: expiresAtMs,
    activated_at_ms: null,
    job_deadline_at_ms: null,
    ended_at_ms: null,
  });
  return [patch('attempt', attemptKey(event), leased), lease];
}

export function onLeaseActivated(event: ProjectedEvent<'lease.activated'>): RowChange[] {
  const active = { state: 'active', activated_at_ms: event.atMs, job_deadline_at_ms: event.data.jobDeadlineAtMs };
  return [
    patch('attempt', attemptKey(event), { state: 'starting', started_at_ms: event.atMs }),
    patch('lease', leaseKey(event), active),
  ];
}

export const onAttemptStarted = (event: ProjectedEvent<'attempt.started'>): RowChange[] => [
  patch('attempt', attemptKey(event), { state: 'running' }),
];

export const onAttemptUploading = (event: ProjectedEvent<'attempt.uploading'>): RowChange[] => [
  patch('attempt', attemptKey(event), { state: 'uploading' }),
];

export const onAttemptCancelRequested = (event: ProjectedEvent<'attempt.cancel-requested'>): RowChange[] => [
  patch('attempt', attemptKey(event), { state: 'canceling', cancel_deadline_at_ms: event.data.deadlineAtMs }),
];

/** Ends the attempt's lease too, unless it had none or something else ended it before. */
export function onAttemptFinished(event: ProjectedEvent<'attempt.finished'>): RowChange[] {
  const { outcome, failureClass, reason, report } = event.data;
  const finished = {
    state: 'finished',
    waiting: false,
    outcome,
    failure_class: failureClass,
    reason,
    finished_at_ms: event.atMs,
    report,
  };
  return [
    patch('attempt', attemptKey(event), finished),
    endLease(event, stoppedWhenAsked(event) ? 'canceled' : 'completed'),
  ];
}

/** The runner says it stopped, and somebody had asked it to. */
const stoppedWhenAsked = ({ data }: ProjectedEvent<'attempt.finished'>): boolean =>
  data.outcome === 'canceled' && data.report?.outcome === 'canceled';

const endLease = (event: AttemptEvent, state: string): RowChange =>
  patch('lease', leaseKey(event), { state, live: false, ended_at_ms: event.atMs });

export const onLeaseExpired = (event: ProjectedEvent<'lease.expired'>): RowChange[] => [endLease(event, 'expired')];

export const onLeaseRevoked = (event: ProjectedEvent<'lease.revoked'>): RowChange[] => [endLease(event, 'revoked')];

export function onArtifactRecorded(event: ProjectedEvent<'artifact.recorded'>): RowChange[] {
  const { name, type, digest, sizeBytes, retentionDays } = event.data.artifact;
  const artifact = { name, type, digest, size_bytes: sizeBytes, retention_days: retentionDays };
  return [put('artifact', { ...attemptKey(event), ...artifact, recorded_at_ms: event.atMs, expired_at_ms: null })];
}

export const onArtifactExpired = ({ data, atMs }: ProjectedEvent<'artifact.expired'>): RowChange[] =>
  data.artifacts.map(({ runId, jobKey, attempt, name }) =>
    patch('artifact', { run_id: runId, job_key: jobKey, attempt, name }, { expired_at_ms: atMs }),
  );

export const onFailureExplained = (event: ProjectedEvent<'failure.explained'>): RowChange[] => [
  put('explanation', { ...attemptKey(event), explanation: event.data.explanation }),
];
