import type { LeaseState } from '@delta-ci/contracts';
import type { Machine } from './machine.ts';

/**
 * `attempt.finished` ends a live lease with a report: completed, or canceled when the runner says it stopped because it was asked
 * to. One that was not acknowledged is completed where the attempt cannot begin, which its runner never hears of.
 */
export const LEASE_TRIGGERS = [
  'lease.granted',
  'lease.activated',
  'attempt.finished (completed)',
  'attempt.finished (canceled)',
  'lease.expired',
  'lease.revoked',
] as const;
export type LeaseTrigger = (typeof LEASE_TRIGGERS)[number];

/** The right of one runner to one attempt. */
export const LEASE_MACHINE: Machine<LeaseState, LeaseTrigger> = {
  name: 'lease',
  birth: { on: 'lease.granted', to: 'granted' },
  triggers: LEASE_TRIGGERS,
  transitions: {
    granted: {
      'lease.activated': 'active',
      'attempt.finished (completed)': 'completed',
      'attempt.finished (canceled)': 'canceled',
      'lease.expired': 'expired',
      'lease.revoked': 'revoked',
    },
    active: {
      'attempt.finished (completed)': 'completed',
      'attempt.finished (canceled)': 'canceled',
      'lease.expired': 'expired',
      'lease.revoked': 'revoked',
    },
    completed: {},
    canceled: {},
    expired: {},
    revoked: {},
  },
};
