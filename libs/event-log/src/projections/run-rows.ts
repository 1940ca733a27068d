import type { RunId } from '@delta-ci/contracts';
import type { ProjectedEvent } from './projected-event.ts';
import { patch, put, type RowChange } from './row-change.ts';

/** Rows of `run` and `job`: what happened to a run as a whole, and to the nodes of its plan. */

/** The run in whose stream an event stands. @throws when it stands in none: run events are only written there. */
export function runIdOf(event: ProjectedEvent): RunId {
  if (event.correlation === null) throw new Error(`${event.type} belongs to no run`);
  return event.correlation;
}

export function onRunCreated(event: ProjectedEvent<'run.created'>): RowChange[] {
  const { repository, change, policy, rerun } = event.data;
  const row = put('run', {
    run_id: runIdOf(event),
    repository_id: repository.id,
    repository,
    change,
    ref: change.ref,
    pull_request: change.pullRequest,
    actor: event.actor,
    actor_name: event.actor.name,
    policy,
    rerun,
    traceparent: event.traceparent,
    state: 'created',
    live: true,
    outcome: null,
    reason: '',
    created_at_ms: event.atMs,
    started_at_ms: null,
    finished_at_ms: null,
    reported: false,
    superseded_by: null,
    plan_digest: null,
    summary: '',
    planning_failure: null,
  });
  return [row, put('repository', { repository_id: repository.id, repository, policy: null })];
}

export const onRunPlanningStarted = (event: ProjectedEvent<'run.planning-started'>): RowChange[] => [
  patch('run', { run_id: runIdOf(event) }, { state: 'planning' }),
];

export function onRunPlanned(event: ProjectedEvent<'run.planned'>): RowChange[] {
  const run_id = runIdOf(event);
  const { planDigest, policy, jobs, summary } = event.data;
  return [
    patch('run', { run_id }, { state: 'queued', plan_digest: planDigest, policy, summary }),
    ...jobs.map((job, ordinal) =>
      put('job', {
        run_id,
        job_key: job.key,
        ordinal,
        needs: job.needs,
        policy: job.policy,
        requirements: job.requirements,
        state: 'blocked',
        outcome: null,
        reason: '',
        finished_at_ms: null,
      }),
    ),
  ];
}

export function onRunPlanningFailed(event: ProjectedEvent<'run.planning-failed'>): RowChange[] {
  const { code, message } = event.data;
  return [patch('run', { run_id: runIdOf(event) }, { planning_failure: { code, message } })];
}

export const onRunStarted = (event: ProjectedEvent<'run.started'>): RowChange[] => [
  patch('run', { run_id: runIdOf(event) }, { state: 'running', started_at_ms: event.atMs }),
];

export const onRunSuperseded = (event: ProjectedEvent<'run.superseded'>): RowChange[] => [
  patch('run', { run_id: runIdOf(event) }, { superseded_by: event.data.by }),
];

export const onRunCancelRequested = (event: ProjectedEvent<'run.cancel-requested'>): RowChange[] => [
  patch('run', { run_id: runIdOf(event) }, { state: 'canceling', reason: event.data.reason }),
];

export function onRunFinished(event: ProjectedEvent<'run.finished'>): RowChange[] {
  const { outcome, reason } = event.data;
  const finished = { state: 'finished', live: false, outcome, reason, finished_at_ms: event.atMs };
  return [patch('run', { run_id: runIdOf(event) }, finished)];
}

export const onRunReported = (event: ProjectedEvent<'run.reported'>): RowChange[] => [
  patch('run', { run_id: runIdOf(event) }, { reported: true }),
];

export const onJobReadied = (event: ProjectedEvent<'job.readied'>): RowChange[] => [
  patch('job', { run_id: runIdOf(event), job_key: event.data.jobKey }, { state: 'ready' }),
];

export function onJobFinished(event: ProjectedEvent<'job.finished'>): RowChange[] {
  const { jobKey, outcome, reason } = event.data;
  const finished = { state: 'finished', outcome, reason, finished_at_ms: event.atMs };
  return [patch('job', { run_id: runIdOf(event), job_key: jobKey }, finished)];
}
