import { z } from 'zod';
import { ArtifactExpiry } from './artifact-expiry.ts';
import { CacheRecord, CacheRemoval, TrustDomain } from './caches.ts';
import { CapacityInputs } from './capacity.ts';
import { Actor, Change, RerunSource, Repository } from './change.ts';
import { Checkpoint } from './checkpoint.ts';
import {
  AttemptNumber,
  Digest,
  EpochMs,
  JobKey,
  LeaseHash,
  MessageId,
  PoolName,
  RepositoryId,
  RunId,
  RunnerId,
  Traceparent,
  ForgeName,
} from './ids.ts';
import {
  ArtifactRecord,
  AttemptOutcome,
  CompletionReport,
  Confidence,
  FailureClass,
  JobOutcome,
  RunOutcome,
} from './outcome.ts';
import { JobRequirements } from './plan.ts';
import { JobPolicy, RunPolicy } from './policy.ts';
import { RecipeId, RecipeVersion, RulesVersion } from './recipe.ts';
import { HandOut } from './secrets.ts';
import { upcast } from './upcasts.ts';

/**
 * Events: what the orchestrator accepted as having happened, in the past tense. The type's first part names the
 * aggregate it speaks of. Everything about one run (jobs, attempts, leases included) is in the stream `run-<run id>`.
 */

const attempt = { jobKey: JobKey, attempt: AttemptNumber };

/**
 * Where the artifact store keeps what planning looked at; null when planning did not get as far as that, or did not
 * keep it.
 */
export const PlanningInputsDigest = Digest.nullable();

/** What folding needs to know of a job; the whole description is in the plan under its digest. */
export const PlannedJobState = z.strictObject({
  key: JobKey,
  needs: z.array(JobKey),
  policy: JobPolicy,
  requirements: JobRequirements,
});
export type PlannedJobState = z.infer<typeof PlannedJobState>;

export const CitedEvidence = z.strictObject({
  kind: z.enum(['log', 'test', 'exit', 'signal', 'step', 'resource', 'history']),
  /** `log`: 1-based first and last line; others null. */
  lines: z.strictObject({ from: z.number().int().min(1), to: z.number().int().min(1) }).nullable(),
  text: z.string().max(2_000),
});
export type CitedEvidence = z.infer<typeof CitedEvidence>;

/** Why an attempt failed, as far as can be said, with the evidence for every sentence. */
export const FailureExplanation = z.strictObject({
  class: FailureClass,
  /** Finer than the class: compile, test, lint, network, out-of-memory ... */
  category: z.string().min(1).max(60),
  confidence: Confidence,
  headline: z.string().min(1).max(300),
  sentences: z
    .array(z.strictObject({ text: z.string().min(1).max(1_000), evidence: z.array(CitedEvidence).max(10) }))
    .max(20),
  location: z.strictObject({ path: z.string().max(4_096), line: z.number().int().min(1).nullable() }).nullable(),
  failedTests: z
    .array(
      z.strictObject({
        name: z.string().max(1_000),
        suite: z.string().max(1_000),
        message: z.string().max(4_000),
        path: z.string().max(4_096).nullable(),
        line: z.number().int().min(1).nullable(),
      }),
    )
    .max(100),
  rules: z.array(z.string().max(100)).max(50),
  nextStep: z.string().max(1_000),
  /** What could not be looked at; empty when the analysis is complete. */
  incomplete: z.array(z.string().max(500)).max(20),
});
export type FailureExplanation = z.infer<typeof FailureExplanation>;

/** Type -> current data schema. A change of meaning gets a new schema version and an upcast, never an edit. */
export const EVENT_DATA = {
  'delivery.accepted': z.strictObject({
    forge: ForgeName,
    deliveryId: z.string().min(1).max(200),
    event: z.string().min(1).max(100),
    payloadDigest: Digest,
    runId: RunId,
  }),
  'delivery.ignored': z.strictObject({
    forge: ForgeName,
    deliveryId: z.string().min(1).max(200),
    event: z.string().min(1).max(100),
    payloadDigest: Digest,
    reason: z.string().min(1).max(500),
  }),
  'run.created': z.strictObject({
    runId: RunId,
    repository: Repository,
    change: Change,
    policy: RunPolicy,
    rerun: RerunSource.nullable(),
  }),
  'run.planning-started': z.strictObject({ deadlineAtMs: EpochMs }),
  'run.planned': z.strictObject({
    planDigest: Digest,
    policy: RunPolicy,
    jobs: z.array(PlannedJobState).max(10_000),
    summary: z.string().max(5_000),
    /** When the whole run must be over: the run timeout of its policy, counted from here. */
    deadlineAtMs: EpochMs,
    inputsDigest: PlanningInputsDigest,
  }),
  'run.planning-failed': z.strictObject({
    code: z.string().min(1).max(100),
    message: z.string().min(1).max(10_000),
    inputsDigest: PlanningInputsDigest,
  }),
  'run.started': z.strictObject({}),
  'run.superseded': z.strictObject({ by: RunId }),
  'run.cancel-requested': z.strictObject({ reason: z.string().max(500), deadlineAtMs: EpochMs }),
  'run.finished': z.strictObject({ outcome: RunOutcome, reason: z.string().max(1_000) }),
  'run.reported': z.strictObject({ outcome: RunOutcome }),
  'job.readied': z.strictObject({ jobKey: JobKey }),
  'job.finished': z.strictObject({ jobKey: JobKey, outcome: JobOutcome, reason: z.string().max(1_000) }),
  'attempt.queued': z.strictObject({
    ...attempt,
    pool: PoolName,
    priority: z.number().int(),
    /** What a runner must offer: repeated here so that dispatch needs no look-up. */
    requirements: JobRequirements,
    queueDeadlineAtMs: EpochMs,
    /** Why there is another attempt; null for the first. */
    retryOf: z
      .strictObject({ attempt: AttemptNumber, because: z.enum(['retryable-failure', 'lost', 'timeout']) })
      .nullable(),
  }),
  'attempt.started': z.strictObject(attempt),
  'attempt.uploading': z.strictObject(attempt),
  'attempt.cancel-requested': z.strictObject({ ...attempt, reason: z.string().max(500), deadlineAtMs: EpochMs }),
  'attempt.finished': z.strictObject({
    ...attempt,
    outcome: AttemptOutcome,
    /** From the deterministic rules of the domain; null for a success. Decides about retry, nothing else. */
    failureClass: FailureClass.nullable(),
    reason: z.string().max(1_000),
    /** What the runner said; null when nobody could say (lost, canceled in the queue, forced). */
    report: CompletionReport.nullable(),
  }),
  'lease.granted': z.strictObject({
    ...attempt,
    fence: AttemptNumber,
    leaseHash: LeaseHash,
    runnerId: RunnerId,
    expiresAtMs: EpochMs,
  }),
  'lease.activated': z.strictObject({ ...attempt, fence: AttemptNumber, jobDeadlineAtMs: EpochMs }),
  'debug.opened': z.strictObject({
    ...attempt,
    fence: AttemptNumber,
    runnerId: RunnerId,
    /** Who may type. */
    by: z.string().max(200),
    /** What the shell shows begins there in the attempt's log. */
    logOffset: z.number().int().nonnegative(),
    /** No later than this it is over. */
    untilMs: EpochMs,
  }),
  'lease.secrets-handed-out': z.strictObject({
    ...attempt,
    fence: AttemptNumber,
    runnerId: RunnerId,
    ...HandOut.shape,
  }),
  'lease.expired': z.strictObject({ ...attempt, fence: AttemptNumber, silentSinceMs: EpochMs }),
  'lease.revoked': z.strictObject({ ...attempt, fence: AttemptNumber, reason: z.string().max(500) }),
  'lease.stale-report-refused': z.strictObject({
    ...attempt,
    reason: z.enum(['expired', 'revoked', 'unknown', 'superseded']),
    report: z.string().max(100),
    runnerId: RunnerId.nullable(),
  }),
  'artifact.recorded': z.strictObject({ ...attempt, artifact: ArtifactRecord }),
  /** Artifacts whose time is over, recorded before anything of them is removed. */
  'artifact.expired': ArtifactExpiry,
  /** Immutable: what is kept under this key in this domain from now on, until it is removed. */
  'cache.saved': z.strictObject({ ...attempt, repository: RepositoryId, domain: TrustDomain, cache: CacheRecord }),
  /** Nobody is given them any more; what they alone refer to is removed from the store afterwards. */
  'cache.removed': CacheRemoval,
  'failure.explained': z.strictObject({ ...attempt, explanation: FailureExplanation }),
  'publication.recorded': z.strictObject({
    /** What was published: `check:delta-ci`, `check:<job key>`, `comment:summary`. */
    target: z.string().min(1).max(300),
    externalId: z.string().max(200),
    /** Log position of the view that was published; older views never overwrite newer ones. */
    viewPosition: z.number().int().nonnegative(),
    digest: Digest,
    status: z.enum(['published', 'refused', 'gave-up']),
    detail: z.string().max(1_000),
    /** The run's outcome when this publication shows the final state of the gate; null otherwise. */
    final: RunOutcome.nullable(),
  }),
  'recipe.learned': z.strictObject({
    repository: RepositoryId,
    /** Of the tree that was tested; recipes under one fingerprint are versions of each other. */
    fingerprint: Digest,
    recipeId: RecipeId,
    version: RecipeVersion,
    /** Where the artifact store keeps it. */
    recipeDigest: Digest,
    /** The version of the planning rules that described it. */
    rules: RulesVersion,
    /** The run that proved it, and its plan. */
    runId: RunId,
    planDigest: Digest,
  }),
  'recipe.staled': z.strictObject({
    repository: RepositoryId,
    fingerprint: Digest,
    recipeId: RecipeId,
    /** The run that it failed, and its plan. */
    runId: RunId,
    planDigest: Digest,
    reason: z.string().max(500),
  }),
  'runner.registered': z.strictObject({
    runnerId: RunnerId,
    name: z.string().min(1).max(200),
    pool: PoolName,
    capabilities: z.record(z.string(), z.unknown()),
    version: z.string().max(100),
  }),
  'runner.retired': z.strictObject({
    runnerId: RunnerId,
    reason: z.string().max(500),
    exitCode: z.number().int().nullable(),
  }),
  'scaling.decided': z.strictObject({
    pool: PoolName,
    desired: z.number().int().nonnegative(),
    current: z.number().int().nonnegative(),
    action: z.enum(['start', 'retire', 'hold']),
    count: z.number().int().nonnegative(),
    signals: z.record(z.string(), z.number()),
    bounds: z.strictObject({ min: z.number().int().nonnegative(), max: z.number().int().nonnegative() }),
    applied: z.array(z.string().max(200)).max(20),
    sentence: z.string().min(1).max(1_000),
    /** What the decision was made of; null in records that are older than this field. */
    inputs: CapacityInputs.nullable(),
  }),
  'policy.changed': z.strictObject({ repository: z.string().max(300), policy: RunPolicy.partial() }),
  'checkpoint.signed': Checkpoint,
  'operator.acted': z.strictObject({
    action: z.string().max(100),
    subject: z.string().max(300),
    detail: z.string().max(2_000),
  }),
} as const;

export type EventType = keyof typeof EVENT_DATA;
export const EVENT_TYPES = Object.keys(EVENT_DATA) as EventType[];

/** An event as a decider makes it: what happened. Envelope fields are added when it is appended. */
export type DomainEvent = { [T in EventType]: { type: T; data: z.infer<(typeof EVENT_DATA)[T]> } }[EventType];
export type DomainEventOf<T extends EventType> = Extract<DomainEvent, { type: T }>;

/** Streams: the unit of versioning and of decision. */
export const StreamId = z
  .string()
  .min(1)
  .max(400)
  .regex(/^(?:run|delivery|runner|pool|repository|log|operator|store)-[^\s]+$/);
export type StreamId = z.infer<typeof StreamId>;
export const runStream = (runId: RunId): StreamId => `run-${runId}`;
/** The colon is in no name of a forge, so that no two pairs make the same stream. */
export const deliveryStream = (forge: ForgeName, deliveryId: string): StreamId => `delivery-${forge}:${deliveryId}`;
export const runnerStream = (runnerId: RunnerId): StreamId => `runner-${runnerId}`;
export const poolStream = (pool: PoolName): StreamId => `pool-${pool}`;
/** What became of what the artifact store holds. */
export const ARTIFACT_STREAM: StreamId = 'store-artifacts';
/** What became of the caches that jobs saved. */
export const CACHE_STREAM: StreamId = 'store-caches';
/** What operators did to the installation itself, by what they did it to. */
export const operatorStream = (what: 'parked' | 'debug'): StreamId => `operator-${what}`;
export const repositoryStream = (repositoryId: string): StreamId => `repository-${repositoryId}`;

/** Fields every recorded event carries besides its type and data. */
export const RecordedEnvelope = z.strictObject({
  id: z.uuid(),
  position: z.number().int().positive(),
  stream: StreamId,
  /** 1-based, contiguous per stream. */
  version: z.number().int().positive(),
  schemaVersion: z.number().int().positive(),
  /** ISO 8601 in UTC with milliseconds, by the database's clock. */
  time: z.iso.datetime(),
  actor: Actor,
  /** The run this belongs to, when it belongs to one. */
  correlation: RunId.nullable(),
  /** Id of the command or event that caused it. */
  causation: MessageId,
  traceparent: Traceparent.nullable(),
  prevHash: z.string(),
  hash: z.string(),
});
export type RecordedEnvelope = z.infer<typeof RecordedEnvelope>;

/** An event as the log holds it. */
export type RecordedEvent = RecordedEnvelope & DomainEvent;
export type RecordedEventOf<T extends EventType> = RecordedEnvelope & DomainEventOf<T>;

/**
 * Checks a recorded event from outside (the bus, an archive) and answers it in the current version of its type. Refuses,
 * by name, a version that this release does not know.
 */
export function parseRecordedEvent(input: unknown): z.ZodSafeParseResult<RecordedEvent> {
  const versioned = VersionedEventSchema.safeParse(input);
  // Not even a type and a version: the whole schema says what is wrong with it.
  if (!versioned.success) return RecordedEventSchema.safeParse(input);
  const current = upcast(versioned.data);
  if (current.ok) return RecordedEventSchema.safeParse(current.event);
  const issue = { code: 'custom' as const, path: ['schemaVersion'], message: current.problem, input };
  return { success: false, error: new z.ZodRealError([issue]) as z.ZodError<RecordedEvent> };
}

const VersionedEventSchema = z.looseObject({
  type: z.enum(EVENT_TYPES),
  schemaVersion: RecordedEnvelope.shape.schemaVersion,
  data: z.record(z.string(), z.unknown()),
});

/** One schema for all recorded events, told apart by `type`. */
export const RecordedEventSchema: z.ZodType<RecordedEvent> = z.discriminatedUnion(
  'type',
  EVENT_TYPES.map((type) => RecordedEnvelope.extend({ type: z.literal(type), data: EVENT_DATA[type] })) as never,
) as never;
