import type {
  AttemptOutcome,
  CompletionReport,
  Digest,
  EpochMs,
  FailureClass,
  JobOutcome,
  LeaseHash,
  LeaseState,
  PoolName,
  RunnerId,
} from '@delta-ci/contracts';

/** How far one job, its attempts and their leases have come. What was planned of it never changes and is kept apart. */
export type JobProgress = BlockedJob | ReadyJob | ActiveJob | FinishedJob;

export interface BlockedJob {
  readonly state: 'blocked';
  /** Needs that are not satisfied yet. */
  readonly unmetNeeds: number;
}
export interface ReadyJob {
  readonly state: 'ready';
}
export interface ActiveJob {
  readonly state: 'active';
  readonly earlier: readonly FinishedAttempt[];
  readonly current: Attempt;
  readonly retriesUsed: number;
  readonly lostRetriesUsed: number;
}
export interface FinishedJob {
  readonly state: 'finished';
  readonly outcome: JobOutcome;
  readonly reason: string;
  readonly attempts: readonly FinishedAttempt[];
}

export type Attempt = QueuedAttempt | LeasedAttempt | WorkingAttempt | CancelingAttempt | FinishedAttempt;
/** An attempt that has a runner. */
export type HeldAttempt = LeasedAttempt | WorkingAttempt | CancelingAttempt;

export interface QueuedAttempt {
  readonly state: 'queued';
  readonly number: number;
  readonly pool: PoolName;
  readonly queueDeadlineAtMs: EpochMs;
}
export interface LeasedAttempt {
  readonly state: 'leased';
  readonly number: number;
  readonly lease: Lease;
}
export interface WorkingAttempt {
  readonly state: 'starting' | 'running' | 'uploading';
  readonly number: number;
  readonly lease: Lease;
  readonly artifacts: readonly HeldArtifact[];
  readonly jobDeadlineAtMs: EpochMs;
}
export interface CancelingAttempt {
  readonly state: 'canceling';
  readonly number: number;
  readonly lease: Lease;
  readonly artifacts: readonly HeldArtifact[];
  readonly cancelDeadlineAtMs: EpochMs;
}
export interface FinishedAttempt {
  readonly state: 'finished';
  readonly number: number;
  readonly outcome: AttemptOutcome;
  readonly failureClass: FailureClass | null;
  /** Null when no runner ever had it. */
  readonly lease: Lease | null;
  readonly cancelRequested: boolean;
  /** What the runner's last word was; null when it had none. */
  readonly reported: CompletionReport['outcome'] | null;
}

export interface Lease {
  readonly state: LeaseState;
  readonly hash: LeaseHash;
  readonly fence: number;
  readonly runnerId: RunnerId;
  readonly staleReports: number;
  /** Whether it has given its runner the secrets of the job. */
  readonly handedOut: boolean;
  /** Whether somebody was given a shell where a step failed. */
  readonly debugOpened: boolean;
}

/** Enough of a recorded artifact to tell a repeat from a conflict. */
export interface HeldArtifact {
  readonly name: string;
  readonly digest: Digest;
}

/** A lease whose runner may still speak. */
export function isLiveLease(lease: Lease): boolean {
  return lease.state === 'granted' || lease.state === 'active';
}

/** The attempts of a job, oldest first. */
export function attemptsOf(job: JobProgress): readonly Attempt[] {
  if (job.state === 'active') return [...job.earlier, job.current];
  return job.state === 'finished' ? job.attempts : [];
}
