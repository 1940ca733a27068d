import { z } from 'zod';
import { CacheRecord, CacheRemoval } from './caches.ts';
import { Actor, Change, Repository } from './change.ts';
import { DebugReason, DebugRequest, OpenDebugRequest } from './debug.ts';
import {
  AttemptNumber,
  Digest,
  JobKey,
  LeaseHash,
  MessageId,
  PoolName,
  RunId,
  RunnerId,
  Traceparent,
  ForgeName,
} from './ids.ts';
import { ArtifactRecord, CompletionReport } from './outcome.ts';
import { RunPolicy } from './policy.ts';
import { RunnerCapabilities } from './runner-capabilities.ts';
import { HandOut } from './secrets.ts';

/**
 * Commands: what somebody wants, in the imperative. They travel as request/reply on `delta.commands.<name>`.
 * The sender chooses the id; repeating a command with the same id returns the first answer.
 */

export const ParkedAction = z.enum(['retry', 'drop']);
export type ParkedAction = z.infer<typeof ParkedAction>;

/** Names the lease a runner's report speaks for: by hash, so that the capability itself stays in the gateway. */
const lease = { leaseHash: LeaseHash, runnerId: RunnerId };

export const COMMAND_DATA = {
  'accept-delivery': z.strictObject({
    /** Delivery ids are told apart by the forge that chose them: two of a kind may choose the same. */
    forge: ForgeName,
    deliveryId: z.string().min(1).max(200),
    event: z.string().min(1).max(100),
    payloadDigest: Digest,
    /** The run it asks for, or the reason why we do not act on it. */
    request: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('run'), repository: Repository, change: Change }),
      z.strictObject({ kind: z.literal('ignore'), reason: z.string().min(1).max(500) }),
    ]),
  }),
  'request-run': z.strictObject({ runId: RunId, repository: Repository, change: Change }),
  'cancel-run': z.strictObject({ runId: RunId, reason: z.string().max(500) }),
  rerun: z.strictObject({ runId: RunId, newRunId: RunId, only: z.enum(['all', 'failed']) }),
  /** Looks into an attempt that failed: the job is run again, in a run that counts for nothing, with a shell where it fails. */
  debug: z.strictObject({
    runId: RunId,
    newRunId: RunId,
    jobKey: JobKey,
    /** Null for the latest. */
    attempt: AttemptNumber.nullable(),
    reason: DebugReason,
    minutes: DebugRequest.shape.minutes,
  }),
  'register-runner': z.strictObject({
    runnerId: RunnerId,
    name: z.string().min(1).max(200),
    pool: PoolName,
    capabilities: RunnerCapabilities,
    version: z.string().min(1).max(100),
  }),
  /** Waits up to `waitMs` for work; the answer is null when there was none. The requester makes the capability and sends its hash. */
  'grant-lease': z.strictObject({ ...lease, pool: PoolName, waitMs: z.number().int().min(0).max(30_000) }),
  /** Before a value leaves the gateway: once for each lease, and never for a change that is not trusted. */
  'hand-out-secrets': z.strictObject({ ...lease, handOut: HandOut }),
  /** By the gateway, in the place of a runner that never heard of its lease: the attempt cannot begin. */
  'end-unbegun-attempt': z.strictObject({ ...lease, report: CompletionReport }),
  'acknowledge-lease': z.strictObject(lease),
  /** Before anybody can type: a shell stands in the sandbox of a step that failed. */
  'open-debug': z.strictObject({ ...lease, ...OpenDebugRequest.shape }),
  heartbeat: z.strictObject({
    ...lease,
    phase: z.enum(['starting', 'running', 'uploading']),
    percent: z.number().min(0).max(100).nullable(),
    step: z.string().max(200).nullable(),
    message: z.string().max(500).nullable(),
    logCursor: z.number().int().nonnegative(),
  }),
  'complete-attempt': z.strictObject({ ...lease, report: CompletionReport }),
  'acknowledge-cancel': z.strictObject({ ...lease, report: CompletionReport }),
  'record-artifact': z.strictObject({ ...lease, artifact: ArtifactRecord }),
  /** A cache that was stored. Whether this run may save any, and in which domain, is decided from what it was created with. */
  'record-cache': z.strictObject({ ...lease, cache: CacheRecord }),
  'remove-caches': CacheRemoval,
  'set-policy': z.strictObject({ repository: z.string().max(300), policy: RunPolicy.partial() }),
  /** What becomes of a parked message: delivered again with all its tries, or forgotten. */
  'settle-parked': z.strictObject({
    sequence: z.number().int().positive(),
    action: ParkedAction,
    reason: z.string().max(500),
  }),
} as const;

export type CommandName = keyof typeof COMMAND_DATA;
export const COMMAND_NAMES = Object.keys(COMMAND_DATA) as CommandName[];
export type CommandData<N extends CommandName> = z.infer<(typeof COMMAND_DATA)[N]>;

const envelope = { id: MessageId, actor: Actor, traceparent: Traceparent.nullable() };

/** A command with its envelope, as sent. */
export type Command<N extends CommandName = CommandName> = {
  [K in N]: { id: string; name: K; actor: Actor; traceparent: string | null; data: CommandData<K> };
}[N];

/** One schema for all commands, told apart by `name`. */
export const CommandSchema: z.ZodType<Command> = z.discriminatedUnion(
  'name',
  COMMAND_NAMES.map((name) =>
    z.strictObject({ ...envelope, name: z.literal(name), data: COMMAND_DATA[name] }),
  ) as never,
) as never;

/** What a granted lease tells the runner's side; the gateway adds the capability, source access and secrets. */
export const GrantedLease = z.strictObject({
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  fence: AttemptNumber,
  planDigest: Digest,
  ttlMs: z.number().int().positive(),
  heartbeatMs: z.number().int().positive(),
  acceptanceMs: z.number().int().positive(),
  maxRuntimeMs: z.number().int().positive(),
  traceparent: Traceparent.nullable(),
});
export type GrantedLease = z.infer<typeof GrantedLease>;

export const LeaseState = z.enum(['granted', 'active', 'completed', 'canceled', 'expired', 'revoked']);
export type LeaseState = z.infer<typeof LeaseState>;

export const HeartbeatAnswer = z.strictObject({
  extend: z.boolean(),
  ttlMs: z.number().int().positive(),
  cancelRequested: z.boolean(),
  cancelDeadlineAtMs: z.number().int().nonnegative().nullable(),
});
export type HeartbeatAnswer = z.infer<typeof HeartbeatAnswer>;

/** What each command answers when it is accepted. */
export const COMMAND_RESULT = {
  'accept-delivery': z.strictObject({ runId: RunId.nullable(), ignored: z.string().nullable() }),
  'request-run': z.strictObject({ runId: RunId }),
  'cancel-run': z.strictObject({ runId: RunId }),
  rerun: z.strictObject({ runId: RunId }),
  debug: z.strictObject({ runId: RunId }),
  'register-runner': z.strictObject({ runnerId: RunnerId }),
  'grant-lease': z.strictObject({ lease: GrantedLease.nullable() }),
  'hand-out-secrets': z.strictObject({}),
  'end-unbegun-attempt': z.strictObject({}),
  'acknowledge-lease': z.strictObject({ state: LeaseState }),
  'open-debug': z.strictObject({}),
  heartbeat: HeartbeatAnswer,
  'complete-attempt': z.strictObject({ outcome: z.string() }),
  'acknowledge-cancel': z.strictObject({ outcome: z.string() }),
  'record-artifact': z.strictObject({}),
  'record-cache': z.strictObject({}),
  'remove-caches': z.strictObject({}),
  'set-policy': z.strictObject({}),
  'settle-parked': z.strictObject({ sequence: z.number().int().positive(), action: ParkedAction }),
} as const;
export type CommandResult<N extends CommandName> = z.infer<(typeof COMMAND_RESULT)[N]>;
