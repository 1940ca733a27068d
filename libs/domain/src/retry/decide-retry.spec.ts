import { describe, expect, it } from '@jest/globals';
import { AttemptOutcome, DEFAULT_JOB_POLICY, FailureClass } from '@delta-ci/contracts';
import fc from 'fast-check';
import { decideRetry } from './decide-retry.ts';

const finished = fc.record({
  outcome: fc.constantFrom(...AttemptOutcome.options),
  failureClass: fc.option(fc.constantFrom(...FailureClass.options)),
  expiredInQueue: fc.boolean(),
});
const used = fc.record({ retriesUsed: fc.nat(12), lostRetriesUsed: fc.nat(12) });
const policy = fc
  .record({ retries: fc.nat(10), lostRetries: fc.nat(10), retryTimeouts: fc.boolean() })
  .map((budgets) => ({ ...DEFAULT_JOB_POLICY, ...budgets }));

describe('deciding about another attempt', () => {
  it('never goes over the budget of its kind', () => {
    fc.assert(
      fc.property(finished, policy, used, (attempt, rules, soFar) => {
        const decision = decideRetry(attempt, rules, soFar);
        const left =
          attempt.outcome === 'lost' ? rules.lostRetries - soFar.lostRetriesUsed : rules.retries - soFar.retriesUsed;
        expect(decision.retry && left <= 0).toBe(false);
      }),
    );
  });

  it('never tries again what the user has to mend, what ended well, and what nobody took', () => {
    fc.assert(
      fc.property(finished, policy, used, (attempt, rules, soFar) => {
        const users =
          attempt.outcome === 'failed' && ['user', 'tooling', 'unknown'].includes(attempt.failureClass ?? 'unknown');
        const over = attempt.outcome === 'succeeded' || attempt.outcome === 'canceled';
        const untaken = attempt.outcome === 'timed_out' && attempt.expiredInQueue;
        expect(decideRetry(attempt, rules, soFar).retry && (users || over || untaken)).toBe(false);
      }),
    );
  });

  it('tries again what may end differently while there is budget', () => {
    fc.assert(
      fc.property(policy, (rules) => {
        const fresh = { retriesUsed: 0, lostRetriesUsed: 0 };
        const lost = { outcome: 'lost' as const, failureClass: null, expiredInQueue: false };
        const infrastructure = {
          outcome: 'failed' as const,
          failureClass: 'infrastructure' as const,
          expiredInQueue: false,
        };
        const timeout = { outcome: 'timed_out' as const, failureClass: 'unknown' as const, expiredInQueue: false };
        expect(decideRetry(lost, rules, fresh).retry).toBe(rules.lostRetries > 0);
        expect(decideRetry(infrastructure, rules, fresh).retry).toBe(rules.retries > 0);
        expect(decideRetry(timeout, rules, fresh).retry).toBe(rules.retryTimeouts && rules.retries > 0);
      }),
    );
  });
});
