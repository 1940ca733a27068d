import { z } from 'zod';
import { LeftOut } from './shadow-ledger.ts';

/** How one run is governed. Filled from defaults, the repository's stored policy and the config file, in that order. */
export const RunPolicy = z.strictObject({
  cancelSuperseded: z.boolean(),
  failFast: z.boolean(),
  /** Attempts of one run queued or live at a time: one large run must not starve the rest. */
  maxConcurrency: z.number().int().min(1).max(1_000),
  runTimeoutMs: z.number().int().min(1_000),
  planningTimeoutMs: z.number().int().min(100),
  queueTimeoutMs: z.number().int().min(1_000),
  leaseTtlMs: z.number().int().min(100),
  heartbeatMs: z.number().int().min(10),
  leaseAcceptanceMs: z.number().int().min(100),
  cancelDeadlineMs: z.number().int().min(100),
});
export type RunPolicy = z.infer<typeof RunPolicy>;

/** Times as the protocol states them: TTL 120 s, heartbeat 20 s, acceptance 30 s, cancel 30 s, run 6 h, planning 2 min, queue 24 h. */
export const DEFAULT_RUN_POLICY: RunPolicy = {
  cancelSuperseded: false,
  failFast: true,
  maxConcurrency: 32,
  runTimeoutMs: 6 * 3_600_000,
  planningTimeoutMs: 120_000,
  queueTimeoutMs: 24 * 3_600_000,
  leaseTtlMs: 120_000,
  heartbeatMs: 20_000,
  leaseAcceptanceMs: 30_000,
  cancelDeadlineMs: 30_000,
};

/** No job takes longer. */
export const JOB_TIMEOUT_MS_MAX = 24 * 3_600_000;

/** How one job is governed; part of the plan, so that execution decides nothing. */
export const JobPolicy = z.strictObject({
  required: z.boolean(),
  allowFailure: z.boolean(),
  /** Extra attempts for failures whose class may be retried. */
  retries: z.number().int().min(0).max(10),
  /** Extra attempts after a runner was lost. */
  lostRetries: z.number().int().min(0).max(10),
  retryTimeouts: z.boolean(),
  timeoutMs: z.number().int().min(1_000).max(JOB_TIMEOUT_MS_MAX),
  /** How long a step may print nothing. Left out: `DEFAULT_IDLE_TIMEOUT_MS`. */
  idleTimeoutMs: z
    .number()
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .optional(),
  /** Higher goes first; 0 is ordinary. */
  priority: z.number().int().min(-100).max(100),
  /** Only for what optimisations leave out and that runs all the same. */
  leftOut: LeftOut.optional(),
});
export type JobPolicy = z.infer<typeof JobPolicy>;

export const DEFAULT_JOB_POLICY: JobPolicy = {
  required: true,
  allowFailure: false,
  retries: 1,
  lostRetries: 2,
  retryTimeouts: false,
  timeoutMs: 60 * 60_000,
  priority: 0,
};

/** A step that prints nothing for half an hour hangs: half of what a job may take, and longer than quiet compilers are. */
export const DEFAULT_IDLE_TIMEOUT_MS = 30 * 60_000;

/**
 * Whether a job is a shadow: a sample of what the plan leaves out. It never decides about its run, goes after everything
 * else, and is tried once more whatever it failed of, which tells a failure that comes back from one that does not.
 */
export function isShadow({ leftOut }: Pick<JobPolicy, 'leftOut'>): boolean {
  return leftOut?.as === 'shadow';
}
