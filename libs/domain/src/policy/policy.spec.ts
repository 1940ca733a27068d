import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RUN_POLICY } from '@delta-ci/contracts';
import { runPolicyFor } from './run-policy-for.ts';
import { validateTimings } from './validate-timings.ts';

const TIMINGS = {
  leaseTtlMs: DEFAULT_RUN_POLICY.leaseTtlMs,
  heartbeatMs: DEFAULT_RUN_POLICY.heartbeatMs,
  dispatchVisibilityMs: 150_000,
  heartbeatJitterMs: 10_000,
};

describe('timings', () => {
  it('by default hold each other up', () => expect(validateTimings(TIMINGS)).toEqual([]));

  it('need a TTL over three heartbeats', () => {
    expect(validateTimings({ ...TIMINGS, heartbeatMs: 40_000 })).toMatchObject([
      { name: 'lease_ttl_within_three_heartbeats' },
    ]);
    expect(validateTimings({ ...TIMINGS, heartbeatMs: 39_999 })).toEqual([]);
  });

  it('need a dispatch visibility of TTL and jitter at least', () => {
    expect(validateTimings({ ...TIMINGS, dispatchVisibilityMs: 130_000 })).toEqual([]);
    expect(validateTimings({ ...TIMINGS, dispatchVisibilityMs: 129_999 })).toMatchObject([
      { name: 'dispatch_visibility_under_lease_ttl' },
    ]);
  });

  it('say all that is wrong at once', () => {
    expect(validateTimings({ ...TIMINGS, heartbeatMs: 50_000, dispatchVisibilityMs: 1 })).toHaveLength(2);
  });
});

describe('the policy of a run', () => {
  it('cancels superseded runs of pull requests and of nothing else', () => {
    expect(runPolicyFor({ kind: 'pull_request' }, {})).toEqual({ ...DEFAULT_RUN_POLICY, cancelSuperseded: true });
    expect(runPolicyFor({ kind: 'push' }, {})).toEqual(DEFAULT_RUN_POLICY);
  });

  it('is the repository’s word where it has one', () => {
    expect(runPolicyFor({ kind: 'pull_request' }, { cancelSuperseded: false, maxConcurrency: 3 })).toMatchObject({
      cancelSuperseded: false,
      maxConcurrency: 3,
      failFast: DEFAULT_RUN_POLICY.failFast,
    });
  });

  it('starts from the installation’s defaults', () => {
    const defaults = { ...DEFAULT_RUN_POLICY, cancelSuperseded: true, leaseTtlMs: 3_000 };
    expect(runPolicyFor({ kind: 'push' }, {}, defaults)).toEqual(defaults);
  });
});
