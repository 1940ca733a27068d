import type { PoolName } from '@delta-ci/contracts';

/** How many runners a pool may have, how fast that may change, and what it may cost. Every field is mandatory. */
export interface CapacityPolicy {
  readonly pool: PoolName;
  readonly min: number;
  readonly max: number;
  /** Runners kept idle beyond the demand, so that a job does not wait for a start. */
  readonly warmIdle: number;
  /** Runners started by one decision, at most. */
  readonly scaleUpStepMax: number;
  /** Growth of the target by one decision in percent of it, at most; one runner is always allowed. */
  readonly scaleUpPercentMax: number;
  /** After a growth of the target, the next waits this long. Replacing runners that left is no growth. */
  readonly scaleUpCooldownMs: number;
  /** Runners retired by one decision, at most. */
  readonly scaleDownStepMax: number;
  /** The pool must have been quiet for this long before any runner is retired. */
  readonly scaleDownWindowMs: number;
  /** No runner is retired this soon after a growth of the target. */
  readonly scaleDownCooldownMs: number;
  /** Quiet means at most this many queued attempts. */
  readonly quietBacklogMax: number;
  /** Quiet also means that at most this share of recent attempts met infrastructure errors (0 to 1). */
  readonly quietErrorRateMax: number;
  /** Wait after the first failed start; doubles with each further one in a row. */
  readonly failedStartBackoffMs: number;
  readonly failedStartBackoffMaxMs: number;
  readonly pricePerRunnerMinute: number;
  /** Spending at which nothing more is started; in the unit of the price, for the period the caller accounts by. */
  readonly costCap: number;
}

export interface CapacityPolicyProblem {
  readonly name: keyof CapacityPolicy;
  readonly message: string;
}

/** Fields that count whole things. */
const COUNTS = ['min', 'max', 'warmIdle', 'scaleUpStepMax', 'scaleDownStepMax', 'quietBacklogMax'] as const;

/** Fields that bound something by being there at all: zero would mean no bound, no cool-down, no cost cap. */
const POSITIVES = [
  'max',
  'scaleUpStepMax',
  'scaleUpPercentMax',
  'scaleUpCooldownMs',
  'scaleDownStepMax',
  'scaleDownWindowMs',
  'scaleDownCooldownMs',
  'failedStartBackoffMs',
  'failedStartBackoffMaxMs',
  'costCap',
] as const;

const NON_NEGATIVES = ['min', 'warmIdle', 'quietBacklogMax', 'quietErrorRateMax', 'pricePerRunnerMinute'] as const;

/** Every reason why this policy may not govern a pool; none is one that may. */
export function validateCapacityPolicy(policy: CapacityPolicy): CapacityPolicyProblem[] {
  const problems: CapacityPolicyProblem[] = [];
  const complain = (name: keyof CapacityPolicy, message: string): void => void problems.push({ name, message });
  for (const name of POSITIVES) if (!(policy[name] > 0)) complain(name, `${name} must be over zero`);
  for (const name of NON_NEGATIVES) if (!(policy[name] >= 0)) complain(name, `${name} must not be under zero`);
  for (const name of COUNTS) if (!Number.isInteger(policy[name])) complain(name, `${name} must be a whole number`);
  if (policy.min > policy.max) complain('min', `min (${policy.min}) must not be over max (${policy.max})`);
  if (policy.quietErrorRateMax > 1) complain('quietErrorRateMax', 'quietErrorRateMax is a share: at most 1');
  if (policy.failedStartBackoffMaxMs < policy.failedStartBackoffMs) {
    complain('failedStartBackoffMaxMs', 'failedStartBackoffMaxMs must not be under failedStartBackoffMs');
  }
  return problems;
}
