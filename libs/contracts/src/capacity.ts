import { z } from 'zod';
import { EpochMs, PoolName } from './ids.ts';

/** What a scaling decision is made of. Recorded with the decision, so that it can be made again. */

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();

/** How many runners a pool may have, how fast that may change, and what it may cost. Every field is mandatory. */
export const CapacityPolicy = z.strictObject({
  pool: PoolName,
  min: count,
  max: count,
  /** Runners kept idle beyond the demand, so that a job does not wait for a start. */
  warmIdle: count,
  /** Runners started by one decision, at most. */
  scaleUpStepMax: count,
  /** Growth of the target by one decision in percent of it, at most; one runner is always allowed. */
  scaleUpPercentMax: z.number().nonnegative(),
  /** After a growth of the target, the next waits this long. Replacing runners that left is no growth. */
  scaleUpCooldownMs: ms,
  /** Runners retired by one decision, at most. */
  scaleDownStepMax: count,
  /** The pool must have been quiet for this long before any runner is retired. */
  scaleDownWindowMs: ms,
  /** No runner is retired this soon after a growth of the target. */
  scaleDownCooldownMs: ms,
  /** Quiet means at most this many queued attempts. */
  quietBacklogMax: count,
  /** Quiet also means that at most this share of recent attempts met infrastructure errors (0 to 1). */
  quietErrorRateMax: z.number().min(0).max(1),
  /** Wait after the first failed start; doubles with each further one in a row. */
  failedStartBackoffMs: ms,
  failedStartBackoffMaxMs: ms,
  pricePerRunnerMinute: z.number().nonnegative(),
  /** Spending at which nothing more is started; in the unit of the price, for the period the caller accounts by. */
  costCap: z.number().nonnegative(),
});
export type CapacityPolicy = Readonly<z.infer<typeof CapacityPolicy>>;

/** A pool as it is at one moment. Demand comes from the queue and the leases; nothing else may raise capacity. */
export const CapacitySnapshot = z.strictObject({
  nowMs: EpochMs,
  /** Attempts waiting for a runner of the pool. */
  queued: count,
  oldestQueuedAgeMs: ms,
  /** Runners by what they do; one that is starting counts as capacity already. */
  leased: count,
  idle: count,
  starting: count,
  failedStartsInARow: count,
  lastFailedStartAtMs: EpochMs.nullable(),
  /** Spent in the accounting period. */
  costSoFar: z.number().nonnegative(),
  /** Share of recent attempts that met infrastructure errors; can only hold a retirement back. */
  errorRate: z.number().nonnegative(),
});
export type CapacitySnapshot = Readonly<z.infer<typeof CapacitySnapshot>>;

/** What a pool remembers between decisions. */
export const CapacityHistory = z.strictObject({
  /** Runners wanted by the last decision. */
  target: count,
  lastGrowthAtMs: EpochMs.nullable(),
  /** Since when the pool has been quiet without a break; null when it is not. */
  quietSinceMs: EpochMs.nullable(),
});
export type CapacityHistory = Readonly<z.infer<typeof CapacityHistory>>;

export const CapacityInputs = z.strictObject({
  policy: CapacityPolicy,
  snapshot: CapacitySnapshot,
  history: CapacityHistory,
});
export type CapacityInputs = Readonly<z.infer<typeof CapacityInputs>>;
