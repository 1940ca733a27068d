import type { DomainEvent, DomainEventOf, RunPolicy } from '@delta-ci/contracts';
import { BrokenInvariant, present, unreachable } from '../broken-invariant.ts';
import { nextState } from '../machines/machine.ts';
import { RUN_MACHINE, type RunTrigger } from '../machines/run-machine.ts';
import type { LiveRun, RunAggregate, RunFacts, Work } from './aggregate.ts';
import { workOf } from './aggregate.ts';
import {
  attemptCancelRequested,
  attemptFinished,
  attemptQueued,
  attemptStarted,
  attemptUploading,
} from './evolve-attempt.ts';
import { jobFinished, jobReadied, workPlanned } from './evolve-job.ts';
import {
  artifactRecorded,
  debugOpened,
  leaseActivated,
  leaseEnded,
  leaseGranted,
  secretsHandedOut,
  staleReportRefused,
} from './evolve-lease.ts';

/**
 * The run after `event`. Pure; the state passed in stays as it was.
 * @throws BrokenInvariant when a machine has no such step: the log would be wrong.
 */
export function evolveRun(run: RunAggregate, event: DomainEvent): RunAggregate {
  switch (event.type) {
    case 'run.created':
    case 'run.planning-started':
    case 'run.planned':
    case 'run.planning-failed':
    case 'run.started':
    case 'run.superseded':
    case 'run.cancel-requested':
    case 'run.finished':
      return evolveRunItself(run, event);
    case 'run.reported':
      if (run.state !== 'finished') throw new BrokenInvariant(`a ${run.state} run has no final state to report`);
      return { ...run, reported: true };
    case 'job.readied':
    case 'job.finished':
    case 'attempt.queued':
    case 'attempt.started':
    case 'attempt.uploading':
    case 'attempt.cancel-requested':
    case 'attempt.finished':
    case 'lease.granted':
    case 'lease.secrets-handed-out':
    case 'lease.activated':
    case 'debug.opened':
    case 'lease.expired':
    case 'lease.revoked':
    case 'artifact.recorded':
      return withLiveWork(run, event.type, (work, policy) => evolveWork(work, policy, event));
    case 'lease.stale-report-refused':
      return withAnyWork(run, event.type, (work) => staleReportRefused(work, event.data));
    case 'cache.saved':
      return withLiveWork(run, event.type, (work) => work);
    case 'failure.explained':
    case 'publication.recorded':
      factsOf(run, event.type);
      return run;
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
      throw new BrokenInvariant(`${event.type} is no event of a run`);
    default:
      return unreachable(event);
  }
}

function evolveRunItself(run: RunAggregate, event: DomainEventOf<RunTrigger>): RunAggregate {
  nextState(RUN_MACHINE, run.state === 'absent' ? null : run.state, event.type);
  if (event.type === 'run.created') return { state: 'created', facts: { ...event.data, supersededBy: null } };
  const facts = factsOf(run, event.type);
  const work = workOf(run);
  switch (event.type) {
    case 'run.planning-started':
      return { state: 'planning', facts, deadlineAtMs: event.data.deadlineAtMs };
    case 'run.planned':
      return { state: 'queued', facts: { ...facts, policy: event.data.policy }, work: workPlanned(event.data) };
    case 'run.planning-failed':
      return run;
    case 'run.started':
      return { state: 'running', facts, work: present(work, 'the plan of a run that starts') };
    case 'run.superseded':
      return withFacts(run, { ...facts, supersededBy: event.data.by });
    case 'run.cancel-requested':
      return { state: 'canceling', facts, work, reason: event.data.reason, deadlineAtMs: event.data.deadlineAtMs };
    case 'run.finished':
      assertNothingLeft(work);
      return { state: 'finished', facts, work, ...event.data, reported: false };
    default:
      return unreachable(event);
  }
}

type WorkEvent = DomainEventOf<
  | 'job.readied'
  | 'job.finished'
  | 'attempt.queued'
  | 'attempt.started'
  | 'attempt.uploading'
  | 'attempt.cancel-requested'
  | 'attempt.finished'
  | 'lease.granted'
  | 'lease.secrets-handed-out'
  | 'lease.activated'
  | 'debug.opened'
  | 'lease.expired'
  | 'lease.revoked'
  | 'artifact.recorded'
>;

function evolveWork(work: Work, policy: RunPolicy, event: WorkEvent): Work {
  switch (event.type) {
    case 'job.readied':
      return jobReadied(work, event.data);
    case 'job.finished':
      return jobFinished(work, policy, event.data);
    case 'attempt.queued':
      return attemptQueued(work, policy, event.data);
    case 'attempt.started':
      return attemptStarted(work, policy, event.data);
    case 'attempt.uploading':
      return attemptUploading(work, policy, event.data);
    case 'attempt.cancel-requested':
      return attemptCancelRequested(work, policy, event.data);
    case 'attempt.finished':
      return attemptFinished(work, policy, event.data);
    case 'lease.granted':
      return leaseGranted(work, policy, event.data);
    case 'lease.secrets-handed-out':
      return secretsHandedOut(work, policy, event.data);
    case 'lease.activated':
      return leaseActivated(work, policy, event.data);
    case 'debug.opened':
      return debugOpened(work, policy, event.data);
    case 'lease.expired':
    case 'lease.revoked':
      return leaseEnded(work, policy, event.type, event.data);
    case 'artifact.recorded':
      return artifactRecorded(work, policy, event.data);
    default:
      return unreachable(event);
  }
}

function withLiveWork(run: RunAggregate, type: string, change: (work: Work, policy: RunPolicy) => Work): RunAggregate {
  if (run.state === 'finished') throw new BrokenInvariant(`${type} after the run finished`);
  return withAnyWork(run, type, change);
}

function withAnyWork(run: RunAggregate, type: string, change: (work: Work, policy: RunPolicy) => Work): RunAggregate {
  if (run.state === 'absent' || run.state === 'created' || run.state === 'planning' || run.work === null) {
    throw new BrokenInvariant(`${type} in a run without a plan`);
  }
  return { ...run, work: change(run.work, run.facts.policy) };
}

function withFacts(run: RunAggregate, facts: RunFacts): LiveRun {
  if (run.state === 'absent' || run.state === 'finished') throw new BrokenInvariant(`a ${run.state} run changed`);
  return { ...run, facts };
}

function factsOf(run: RunAggregate, type: string): RunFacts {
  if (run.state === 'absent') throw new BrokenInvariant(`${type} before run.created`);
  return run.facts;
}

function assertNothingLeft(work: Work | null): void {
  if (work !== null && work.unfinishedJobs > 0) {
    throw new BrokenInvariant(`a run finished with ${work.unfinishedJobs} unfinished jobs`);
  }
}
