import { z } from 'zod';
import { JobState, RunState } from './api.ts';
import { AttemptNumber, EpochMs, JobKey, PoolName, RepositoryId, RunId, RunnerId } from './ids.ts';
import { RunOutcome } from './outcome.ts';

/** Time travel: `GET /at/{moment}`. What the log says of one moment of the past. Never a lease id, nor the hash of one. */

/** A log position, or a time: the moment right after the last event that is not later. */
export const Moment = z
  .string()
  .max(40)
  .refine((text) => parseMoment(text) !== null, { message: 'expected a log position or an ISO 8601 time' });
export type Moment = z.infer<typeof Moment>;

const POSITION = /^(?:0|[1-9][0-9]{0,14})$/;
const Time = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** Reads a moment; null when it is none. A time is ISO 8601 as it was given; a date alone is its first instant in UTC. */
export function parseMoment(text: string): { readonly position: number } | { readonly time: string } | null {
  if (POSITION.test(text)) return { position: Number(text) };
  return Time.safeParse(text).success ? { time: text } : null;
}

/** Why a job waits, the nearest reason first. `not-waiting`: a runner has it, or it is over. */
export const WaitingReason = z.enum([
  'planning',
  'needs',
  'run-concurrency',
  'starts-nothing-more',
  'no-runner',
  'no-runner-matches',
  'no-runner-free',
  'about-to-be-taken',
  'not-waiting',
]);
export type WaitingReason = z.infer<typeof WaitingReason>;

/** Why a job waits, as data and as one sentence. */
export const WhyItWaits = z.strictObject({
  reason: WaitingReason,
  /** Jobs it needs that are not over; empty for other reasons. */
  needs: z.array(z.strictObject({ jobKey: JobKey, state: JobState })).max(1_000),
  /** What the runner that came closest lacks; empty for other reasons. */
  mismatches: z.array(z.string().max(1_000)).max(50),
  /** What held the pool's capacity back at its last decision, such as its maximum. */
  capacity: z.array(z.string().max(200)).max(20),
  sentence: z.string().min(1).max(2_000),
});
export type WhyItWaits = z.infer<typeof WhyItWaits>;

export const QueuedAtMoment = z.strictObject({
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  pool: PoolName,
  priority: z.number().int(),
  waitingSinceMs: EpochMs,
  why: WhyItWaits,
});

export const LeaseAtMoment = z.strictObject({
  runId: RunId,
  jobKey: JobKey,
  attempt: AttemptNumber,
  runnerId: RunnerId,
  state: z.enum(['granted', 'active']),
  grantedAtMs: EpochMs,
});

export const RunAtMoment = z.strictObject({
  runId: RunId,
  repositoryId: RepositoryId,
  ref: z.string(),
  state: RunState,
  createdAtMs: EpochMs,
  jobCounts: z.record(z.string(), z.number().int().nonnegative()),
});

export const RunnerAtMoment = z.strictObject({
  runnerId: RunnerId,
  name: z.string(),
  pool: PoolName,
  registeredAtMs: EpochMs,
  /** Whether it held a lease, or had acknowledged one that was over: most runners take one in their life. */
  busy: z.boolean(),
});

export const PoolAtMoment = z.strictObject({
  pool: PoolName,
  queued: z.number().int().nonnegative(),
  runners: z.number().int().nonnegative(),
  busy: z.number().int().nonnegative(),
  /** The last scaling decision before the moment; null when there was none. */
  decision: z.strictObject({ desired: z.number().int(), sentence: z.string(), decidedAtMs: EpochMs }).nullable(),
});

export const MomentView = z.strictObject({
  /** The last position that counts; 0: before the first event. */
  position: z.number().int().nonnegative(),
  /** When that event was recorded; null at position 0. */
  atMs: EpochMs.nullable(),
  /** Runs that were not over, oldest first: this page of them. Queue and leases are theirs. */
  runs: z.array(RunAtMoment),
  queue: z.array(QueuedAtMoment),
  leases: z.array(LeaseAtMoment),
  runners: z.array(RunnerAtMoment),
  pools: z.array(PoolAtMoment),
  nextCursor: z.string().nullable(),
});
export type MomentView = z.infer<typeof MomentView>;

export const JobAtMoment = z.strictObject({
  position: z.number().int().nonnegative(),
  atMs: EpochMs.nullable(),
  runId: RunId,
  runState: RunState,
  runOutcome: RunOutcome.nullable(),
  jobKey: JobKey,
  /** Null while the run had no plan. */
  state: JobState.nullable(),
  why: WhyItWaits,
});
export type JobAtMoment = z.infer<typeof JobAtMoment>;
