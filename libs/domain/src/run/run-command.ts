import type {
  ArtifactRecord,
  CacheRecord,
  CompletionReport,
  Digest,
  DomainEventOf,
  EpochMs,
  FailureExplanation,
  HandOut,
  JobKey,
  LeaseHash,
  PlannedJobState,
  RunId,
  RunPolicy,
  RunnerId,
} from '@delta-ci/contracts';

/** What can be asked of one run. Ids and times that a decision needs come with the command or its context. */
export type RunCommand =
  | { readonly type: 'create-run'; readonly data: DomainEventOf<'run.created'>['data'] }
  | {
      readonly type: 'record-plan';
      readonly planDigest: Digest;
      readonly policy: RunPolicy;
      readonly jobs: PlannedJobState[];
      readonly summary: string;
      readonly inputsDigest: Digest | null;
    }
  | {
      readonly type: 'record-planning-failure';
      readonly code: string;
      readonly message: string;
      readonly inputsDigest: Digest | null;
    }
  | {
      readonly type: 'grant-lease';
      readonly jobKey: JobKey;
      readonly attempt: number;
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
    }
  | RunnerReport
  | {
      readonly type: 'record-explanation';
      readonly jobKey: JobKey;
      readonly attempt: number;
      readonly explanation: FailureExplanation;
    }
  | { readonly type: 'record-publication'; readonly data: DomainEventOf<'publication.recorded'>['data'] }
  | { readonly type: 'cancel-run'; readonly reason: string }
  | { readonly type: 'supersede-run'; readonly by: RunId }
  | {
      /** The caller has seen the lease's renewal row run out by the database's clock. */
      readonly type: 'expire-lease';
      readonly jobKey: JobKey;
      readonly attempt: number;
      readonly fence: number;
      /** Whether the lease had been acknowledged when it was seen: one that was not has a shorter time. */
      readonly wasActive: boolean;
      readonly silentSinceMs: EpochMs;
    }
  | { readonly type: 'lose-runner'; readonly runnerId: RunnerId; readonly reason: string }
  | { readonly type: 'enforce-deadlines' };

/** What the holder of a lease says: counts only while the lease is the current one. */
export type RunnerReport =
  | {
      /** What the gateway is about to give the runner with its lease. */
      readonly type: 'hand-out-secrets';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly handOut: HandOut;
    }
  | {
      /** The gateway's word, of a runner that never heard of its lease: the attempt cannot begin. */
      readonly type: 'end-unbegun-attempt';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly report: CompletionReport;
    }
  | { readonly type: 'acknowledge-lease'; readonly leaseHash: LeaseHash; readonly runnerId: RunnerId }
  | {
      readonly type: 'open-debug';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      /** What the shell shows begins there in the log. */
      readonly logOffset: number;
    }
  | {
      readonly type: 'report-progress';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly phase: 'starting' | 'running' | 'uploading';
    }
  | {
      readonly type: 'complete-attempt';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly report: CompletionReport;
    }
  | {
      readonly type: 'acknowledge-cancel';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly report: CompletionReport;
    }
  | {
      readonly type: 'record-artifact';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly artifact: ArtifactRecord;
    }
  | {
      readonly type: 'record-cache';
      readonly leaseHash: LeaseHash;
      readonly runnerId: RunnerId;
      readonly cache: CacheRecord;
    };

export type RunCommandType = RunCommand['type'];
export type RunCommandOf<T extends RunCommandType> = Extract<RunCommand, { type: T }>;
export type RunnerReportType = RunnerReport['type'];

/** All of them by name, in the order of a run's life. */
export const RUN_COMMAND_TYPES = [
  'create-run',
  'record-plan',
  'record-planning-failure',
  'grant-lease',
  'hand-out-secrets',
  'end-unbegun-attempt',
  'acknowledge-lease',
  'report-progress',
  'open-debug',
  'record-artifact',
  'record-cache',
  'complete-attempt',
  'acknowledge-cancel',
  'expire-lease',
  'lose-runner',
  'cancel-run',
  'supersede-run',
  'enforce-deadlines',
  'record-explanation',
  'record-publication',
] as const satisfies readonly RunCommandType[];
