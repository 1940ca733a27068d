import { z } from 'zod';
import { COMMAND_RESULT } from './commands.ts';
import { Actor, Change, RerunSource, Repository } from './change.ts';
import { Checkpoint } from './checkpoint.ts';
import { FailureExplanation } from './events.ts';
import {
  AttemptNumber,
  CommitId,
  Digest,
  EpochMs,
  JobKey,
  MessageId,
  PoolName,
  RepositoryId,
  RunId,
  RunnerId,
} from './ids.ts';
import { ArtifactRecord, AttemptOutcome, CompletionReport, FailureClass, JobOutcome, RunOutcome } from './outcome.ts';
import { JobKind } from './job-step.ts';
import { Explanation, Plan } from './plan.ts';
import { RunPolicy } from './policy.ts';
import { RefName } from './ref-name.ts';

/** A person sees from the beginning of a message what it was meant to be. */
export const PARKED_TEXT_MAX = 2_000;

/** Public API, HTTP under `/api/v1`: what people, the console and tools read and ask for. Never a lease id. */

export const RunState = z.enum(['created', 'planning', 'queued', 'running', 'canceling', 'finished']);
export type RunState = z.infer<typeof RunState>;
export const JobState = z.enum(['blocked', 'ready', 'active', 'finished']);
export type JobState = z.infer<typeof JobState>;
export const AttemptState = z.enum(['queued', 'leased', 'starting', 'running', 'uploading', 'canceling', 'finished']);
export type AttemptState = z.infer<typeof AttemptState>;

/** `POST /runs`: evaluate a commit by hand. The repository must be one this installation serves. */
export const CreateRunRequest = z.strictObject({
  repository: RepositoryId,
  ref: RefName,
  head: CommitId,
  base: CommitId.nullable().default(null),
  title: z.string().max(500).default(''),
});
export type CreateRunRequest = z.infer<typeof CreateRunRequest>;

/** `GET /repositories`: what this installation serves, in the order of its settings. */
export const RepositoryList = z.strictObject({ repositories: z.array(Repository) });
export type RepositoryList = z.infer<typeof RepositoryList>;

export const CancelRunRequest = z.strictObject({ reason: z.string().max(500).default('canceled by request') });
export type CancelRunRequest = z.infer<typeof CancelRunRequest>;

export const RerunRequest = z.strictObject({ only: z.enum(['all', 'failed']).default('all') });
export type RerunRequest = z.infer<typeof RerunRequest>;

export const RunAnswer = z.strictObject({ runId: RunId });
export type RunAnswer = z.infer<typeof RunAnswer>;

/** `202` to a webhook: the run it led to, or why it led to none. A repeated delivery gets the same answer. */
export const DeliveryAnswer = z.strictObject({ runId: RunId.nullable(), ignored: z.string().nullable() });
export type DeliveryAnswer = z.infer<typeof DeliveryAnswer>;

export const RunListQuery = z.strictObject({
  repository: RepositoryId.optional(),
  ref: z.string().max(1_000).optional(),
  state: z.union([RunState, RunOutcome]).optional(),
  actor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});
export type RunListQuery = z.infer<typeof RunListQuery>;

export const RunSummary = z.strictObject({
  runId: RunId,
  repository: Repository,
  change: Change,
  actor: Actor,
  state: RunState,
  outcome: RunOutcome.nullable(),
  reason: z.string(),
  createdAtMs: EpochMs,
  startedAtMs: EpochMs.nullable(),
  finishedAtMs: EpochMs.nullable(),
  /** Whether the forge shows the final state. */
  reported: z.boolean(),
  supersededBy: RunId.nullable(),
  rerun: RerunSource.nullable(),
  planDigest: Digest.nullable(),
  summary: z.string(),
  jobCounts: z.record(z.string(), z.number().int().nonnegative()),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const RunPage = z.strictObject({ runs: z.array(RunSummary), nextCursor: z.string().nullable() });
export type RunPage = z.infer<typeof RunPage>;

/** An artifact; `expiredAtMs` says since when it is not kept any more. */
export const ArtifactView = ArtifactRecord.extend({ expiredAtMs: EpochMs.optional() });
export type ArtifactView = z.infer<typeof ArtifactView>;

export const AttemptView = z.strictObject({
  attempt: AttemptNumber,
  state: AttemptState,
  outcome: AttemptOutcome.nullable(),
  failureClass: FailureClass.nullable(),
  reason: z.string(),
  runnerId: RunnerId.nullable(),
  pool: PoolName,
  queuedAtMs: EpochMs,
  leasedAtMs: EpochMs.nullable(),
  startedAtMs: EpochMs.nullable(),
  finishedAtMs: EpochMs.nullable(),
  report: CompletionReport.nullable(),
  artifacts: z.array(ArtifactView),
  explanation: FailureExplanation.nullable(),
});
export type AttemptView = z.infer<typeof AttemptView>;

export const JobView = z.strictObject({
  key: JobKey,
  title: z.string(),
  kind: JobKind.nullable(),
  unit: z.string().nullable(),
  needs: z.array(JobKey),
  required: z.boolean(),
  /** Whether it is a sample of what the plan leaves out, and decides nothing. */
  shadow: z.boolean(),
  state: JobState,
  outcome: JobOutcome.nullable(),
  reason: z.string(),
  sentence: z.string(),
  attempts: z.array(AttemptView),
});
export type JobView = z.infer<typeof JobView>;

export const SkippedJobView = z.strictObject({
  key: JobKey,
  title: z.string(),
  unit: z.string().nullable(),
  sentence: z.string(),
});
export type SkippedJobView = z.infer<typeof SkippedJobView>;

/** `GET /runs/{id}`. `position` is the log position the view was read at: two views compare by it. */
export const RunView = RunSummary.extend({
  position: z.number().int().nonnegative(),
  jobs: z.array(JobView),
  skipped: z.array(SkippedJobView),
  planning: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  publications: z.array(
    z.strictObject({
      target: z.string(),
      externalId: z.string(),
      digest: Digest,
      status: z.string(),
      viewPosition: z.number().int(),
      final: RunOutcome.nullable(),
    }),
  ),
  /** The first checkpoint that covers everything recorded of the run so far; null: it is not signed yet. */
  checkpoint: Checkpoint.pick({ position: true, time: true, keyId: true }).nullable(),
});
export type RunView = z.infer<typeof RunView>;

export const PlanAnswer = z.strictObject({ digest: Digest, plan: Plan });
export type PlanAnswer = z.infer<typeof PlanAnswer>;

/** `GET /runs/{id}/why/{job}` and `/why-not/{job|unit|file}`. */
export const WhyAnswer = z.strictObject({
  subject: z.strictObject({ kind: z.enum(['job', 'unit', 'file']), id: z.string() }),
  explanation: Explanation,
});
export type WhyAnswer = z.infer<typeof WhyAnswer>;

/** One server-sent event of `GET /runs/{id}/events` and `GET /events`: id is the log position. */
export const FeedEvent = z.strictObject({
  position: z.number().int().positive(),
  id: MessageId,
  type: z.string(),
  stream: z.string(),
  time: z.iso.datetime(),
  correlation: RunId.nullable(),
  data: z.unknown(),
});
export type FeedEvent = z.infer<typeof FeedEvent>;

export const PoolView = z.strictObject({
  pool: PoolName,
  desired: z.number().int(),
  current: z.number().int(),
  queued: z.number().int(),
  leased: z.number().int(),
  lastDecision: z.string(),
  decidedAtMs: EpochMs.nullable(),
});
export type PoolView = z.infer<typeof PoolView>;

/** One artifact of a job, with the attempt that recorded it. */
export const RunArtifact = ArtifactView.extend({ attempt: AttemptNumber });
export type RunArtifact = z.infer<typeof RunArtifact>;

/** `data` of one `log` event of a followed log: the event's id is `nextOffset`, in bytes. */
export const LogFollowChunk = z.strictObject({
  offset: z.number().int().nonnegative(),
  nextOffset: z.number().int().nonnegative(),
  /** The number of the line that the text begins in, from 1. */
  line: z.number().int().positive(),
  text: z.string(),
});
export type LogFollowChunk = z.infer<typeof LogFollowChunk>;

/** `data` of the `end` event of a followed log. */
export const LogFollowEnd = z.strictObject({ attempt: AttemptNumber, outcome: AttemptOutcome.nullable() });
export type LogFollowEnd = z.infer<typeof LogFollowEnd>;

/** `GET` and `PUT /policies/{repository}`: only what is set for this repository; the rest are defaults. */
export const RepositoryPolicyView = z.strictObject({ repository: RepositoryId, policy: RunPolicy.partial() });
export type RepositoryPolicyView = z.infer<typeof RepositoryPolicyView>;

/** A message that could not be handled and waits for a person. Its body is shown as text, cut where it is long. */
export const ParkedView = z.strictObject({
  /** Names it; grows in the order in which messages were parked. */
  sequence: z.number().int().positive(),
  parkedAt: z.string().max(40),
  reason: z.string().max(1_000),
  stream: z.string().max(100),
  consumer: z.string().max(300),
  subject: z.string().max(1_000),
  deliveries: z.number().int().nonnegative(),
  sizeBytes: z.number().int().nonnegative(),
  text: z.string().max(PARKED_TEXT_MAX),
});
export type ParkedView = z.infer<typeof ParkedView>;

/** `GET /parked` */
export const ParkedPageView = z.strictObject({
  messages: z.array(ParkedView),
  /** Ask `from` here for more; null at the end. */
  nextSequence: z.number().int().positive().nullable(),
});
export type ParkedPageView = z.infer<typeof ParkedPageView>;

/** `POST /parked/{sequence}/retry` and `/drop`: why, for the log. */
export const SettleParkedRequest = z.strictObject({ reason: z.string().max(500).default('') });
export type SettleParkedRequest = z.infer<typeof SettleParkedRequest>;

export const ParkedSettled = COMMAND_RESULT['settle-parked'];
export type ParkedSettled = z.infer<typeof ParkedSettled>;

/** Webhook bodies: what GitHub caps its own at. */
export const WEBHOOK_BODY_BYTES_MAX = 25 * 1024 * 1024;
