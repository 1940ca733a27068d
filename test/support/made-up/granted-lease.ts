import type { GrantedLease } from '@delta-ci/contracts';

/** The first attempt's lease of the job `jobKey`, with the shortest times there are. */
export function aGrantedLease(jobKey: string, over: Partial<GrantedLease> = {}): GrantedLease {
  return {
    runId: `run_${'1'.repeat(32)}`,
    jobKey,
    attempt: 1,
    fence: 1,
    planDigest: `sha256:${'1'.repeat(64)}`,
    ttlMs: 1,
    heartbeatMs: 1,
    acceptanceMs: 1,
    maxRuntimeMs: 1,
    traceparent: null,
    ...over,
  };
}
