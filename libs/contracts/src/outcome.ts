import { z } from 'zod';
import { CACHES_PER_JOB_MAX, CacheResult } from './caches.ts';
import { DebugEnd } from './debug.ts';
import { EGRESS_DECISIONS_MAX, EgressDecision } from './egress.ts';
import { Digest } from './ids.ts';

export const RunOutcome = z.enum(['succeeded', 'failed', 'canceled', 'timed_out']);
export type RunOutcome = z.infer<typeof RunOutcome>;

export const JobOutcome = z.enum(['succeeded', 'failed', 'canceled', 'timed_out', 'skipped']);
export type JobOutcome = z.infer<typeof JobOutcome>;

export const AttemptOutcome = z.enum(['succeeded', 'failed', 'canceled', 'timed_out', 'lost']);
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

/** Whose fault a failure is. `unknown` is an answer; guessing is not. */
export const FailureClass = z.enum(['user', 'infrastructure', 'tooling', 'flaky', 'unknown']);
export type FailureClass = z.infer<typeof FailureClass>;

export const Confidence = z.enum(['low', 'medium', 'high']);
export type Confidence = z.infer<typeof Confidence>;

const Counted = z.number().int().nonnegative().nullable();

/** What was read from disks and written to them, and in how many operations. Null: nothing counted it here. */
export const IoUsage = z.strictObject({
  readBytes: Counted,
  writtenBytes: Counted,
  reads: Counted,
  writes: Counted,
});
export type IoUsage = z.infer<typeof IoUsage>;

export const ResourceUsage = z.strictObject({
  wallMs: z.number().nonnegative(),
  cpuMs: z.number().nonnegative().nullable(),
  memoryPeakBytes: Counted,
  /** Left out by runners that do not tell. */
  io: IoUsage.optional(),
});
export type ResourceUsage = z.infer<typeof ResourceUsage>;

/**
 * Why a step ended, the first that applies. Stopped by its runner: `timeout` (the job's time was over), `idle_timeout` (it
 * printed nothing for too long), `canceled`. By its limits: `out_of_memory` (the kernel killed some process of it, whatever
 * became of the others), `disk_full`. By itself: `signal` (it died of one that its runner did not send), `exit`.
 */
export const StepEnding = z.enum([
  'exit',
  'signal',
  'timeout',
  'idle_timeout',
  'canceled',
  'out_of_memory',
  'disk_full',
]);
export type StepEnding = z.infer<typeof StepEnding>;

export const StepResult = z.strictObject({
  name: z.string().min(1).max(200),
  exitCode: z.number().int().nullable(),
  signal: z.string().max(20).nullable(),
  timedOut: z.boolean(),
  oomKilled: z.boolean(),
  /** Left out by runners that do not tell. */
  endedBy: StepEnding.optional(),
  usage: ResourceUsage,
  /** Bytes of the attempt's log written by this step, and by its runner about what ended it: `[from, to)`. */
  logRange: z.strictObject({ from: z.number().int().nonnegative(), to: z.number().int().nonnegative() }),
});
export type StepResult = z.infer<typeof StepResult>;

/** Whether a step was stopped, died, or said that it failed. One whose child was killed for its memory has failed as well. */
export function stepFailed({ endedBy = 'exit', exitCode, signal, timedOut, oomKilled }: StepResult): boolean {
  return endedBy !== 'exit' || timedOut || oomKilled || signal !== null || (exitCode ?? 0) !== 0;
}

/** The sum, or null when some part of it is not known: a sum of the others would be taken for all. */
function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}

/** What steps that ran one after the other used together, when the whole took `wallMs`. */
export function usageOfSteps(steps: readonly StepResult[], wallMs: number): ResourceUsage {
  const ioOf = (name: keyof IoUsage): number | null => sumOf(steps.map(({ usage }) => usage.io?.[name] ?? null));
  const peaks = steps.map(({ usage }) => usage.memoryPeakBytes).filter((peak) => peak !== null);
  return {
    wallMs,
    cpuMs: sumOf(steps.map(({ usage }) => usage.cpuMs)),
    memoryPeakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    io: {
      readBytes: ioOf('readBytes'),
      writtenBytes: ioOf('writtenBytes'),
      reads: ioOf('reads'),
      writes: ioOf('writes'),
    },
  };
}

/** The step a job failed at; of several, the first. The last one for a job that did not fail. */
export function decidingStep(steps: readonly StepResult[]): StepResult | undefined {
  return steps.find(stepFailed) ?? steps.at(-1);
}

/** An artifact as recorded: immutable, found by digest. */
export const ArtifactRecord = z.strictObject({
  name: z.string().min(1).max(1_000),
  type: z.enum(['junit', 'file', 'coverage', 'log']),
  digest: Digest,
  sizeBytes: z.number().int().nonnegative(),
  retentionDays: z.number().int().min(1).max(3_650),
});
export type ArtifactRecord = z.infer<typeof ArtifactRecord>;

/** Characters of what kept a job from being judged: a report that says more is refused. */
export const ERROR_MESSAGE_CHARS_MAX = 5_000;

/**
 * What kept a job from being judged at all, when the runner rather than the job is at fault. `not_offered`: somebody settled
 * beforehand that it does not get what it asks for, so another attempt would meet the same.
 */
export const InfrastructureError = z.strictObject({
  code: z.enum([
    'source_unavailable',
    'tree_mismatch',
    'sandbox_unavailable',
    'layer_missing',
    'not_offered',
    'secret_unavailable',
    'artifact_upload_failed',
    'workspace_failed',
    'runner_shutdown',
    'internal',
  ]),
  message: z.string().max(ERROR_MESSAGE_CHARS_MAX),
});
export type InfrastructureError = z.infer<typeof InfrastructureError>;

/** What a job's image turned out to be. */
export const UsedImage = z.strictObject({
  /** As the plan has it. */
  reference: z.string().max(500),
  /** Of the manifest it led to; null for a root file system that has none. */
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .nullable(),
});
export type UsedImage = z.infer<typeof UsedImage>;

/** The runner's word on one attempt. Recorded when the lease is current; never trusted beyond that. */
export const CompletionReport = z.strictObject({
  outcome: z.enum(['succeeded', 'failed', 'timed_out', 'canceled']),
  exitCode: z.number().int().nullable(),
  signal: z.string().max(20).nullable(),
  steps: z.array(StepResult).max(200),
  usage: ResourceUsage,
  artifacts: z.array(ArtifactRecord).max(1_000),
  caches: z.array(CacheResult).max(CACHES_PER_JOB_MAX),
  infrastructureError: InfrastructureError.nullable(),
  /** Total bytes of log the runner uploaded; the log itself is at the gateway already. */
  logBytes: z.number().int().nonnegative(),
  logTruncated: z.boolean(),
  /** The runner's clock, recorded and never trusted. */
  runnerStartedAtMs: z.number().int().nonnegative(),
  runnerFinishedAtMs: z.number().int().nonnegative(),
  summary: z.string().max(5_000),
  /** What became of the job's connections; absent where it could make none. */
  egress: z.array(EgressDecision).max(EGRESS_DECISIONS_MAX).optional(),
  /** Absent for a job that ran in what its runner has, or never began. */
  image: UsedImage.optional(),
  /** Only where somebody had a shell in the job's sandbox. */
  debug: DebugEnd.optional(),
});
export type CompletionReport = z.infer<typeof CompletionReport>;
