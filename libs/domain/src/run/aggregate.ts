import type {
  Change,
  Digest,
  EpochMs,
  JobKey,
  PlannedJobState,
  Repository,
  RerunSource,
  RunId,
  RunOutcome,
  RunPolicy,
  RunnerId,
} from '@delta-ci/contracts';
import type { JobTable } from './job-table.ts';
import type { LeaseIndex } from './lease-index.ts';

/**
 * The state of one run, as folded from its stream: immutable, plain JSON, and sharing what did not change with the
 * state before, so that a caller can keep any state as long as it likes and an event costs the same in a run of two
 * jobs and in one of ten thousand.
 */
export type RunAggregate = AbsentRun | CreatedRun | PlanningRun | PlannedRun | CancelingRun | FinishedRun;

export interface AbsentRun {
  readonly state: 'absent';
}
export interface CreatedRun {
  readonly state: 'created';
  readonly facts: RunFacts;
}
export interface PlanningRun {
  readonly state: 'planning';
  readonly facts: RunFacts;
  readonly deadlineAtMs: EpochMs;
}
export interface PlannedRun {
  readonly state: 'queued' | 'running';
  readonly facts: RunFacts;
  readonly work: Work;
}
export interface CancelingRun {
  readonly state: 'canceling';
  readonly facts: RunFacts;
  /** Null when the run was canceled before there was a plan. */
  readonly work: Work | null;
  readonly reason: string;
  readonly deadlineAtMs: EpochMs;
}
export interface FinishedRun {
  readonly state: 'finished';
  readonly facts: RunFacts;
  readonly work: Work | null;
  readonly outcome: RunOutcome;
  readonly reason: string;
  /** Whether the forge shows the final state. */
  readonly reported: boolean;
}

/** A run that can still do something. */
export type LiveRun = CreatedRun | PlanningRun | PlannedRun | CancelingRun;

/** What is known of a run from its first event on. */
export interface RunFacts {
  readonly runId: RunId;
  readonly repository: Repository;
  readonly change: Change;
  readonly policy: RunPolicy;
  readonly rerun: RerunSource | null;
  readonly supersededBy: RunId | null;
}

/** The plan being carried out. Jobs are known by their place in the plan; `indexOf` finds the place of a key. */
export interface Work {
  readonly planDigest: Digest;
  readonly deadlineAtMs: EpochMs;
  /** As planned; never changes. */
  readonly planned: readonly PlannedJobState[];
  readonly indexOf: Readonly<Record<JobKey, number>>;
  /** For each job, the jobs that need it. */
  readonly dependents: readonly (readonly number[])[];
  readonly jobs: JobTable;
  /** Jobs that are ready and not admitted, in the order they will be: priority, then place in the plan. */
  readonly ready: readonly number[];
  /** The unfinished attempts: never more than the policy's `maxConcurrency`. */
  readonly live: readonly LiveAttempt[];
  readonly leases: LeaseIndex;
  readonly unfinishedJobs: number;
  /** Finished jobs whose outcome fails the run. */
  readonly failures: number;
  /** A job the run cannot do without has failed and the policy is to start nothing more. */
  readonly failedFast: boolean;
}

/** An unfinished attempt in short: what has to be found without looking at every job. */
export interface LiveAttempt {
  readonly job: number;
  /** When something has to be done about it other than expire its lease; null: nothing. */
  readonly deadlineAtMs: EpochMs | null;
  readonly runnerId: RunnerId | null;
}

export const initialRun: RunAggregate = { state: 'absent' };

/** The plan being carried out, or null for a run that has none. */
export function workOf(run: RunAggregate): Work | null {
  if (run.state === 'absent' || run.state === 'created' || run.state === 'planning') return null;
  return run.work;
}
