import type { CapacityPolicy } from '@delta-ci/contracts';

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
