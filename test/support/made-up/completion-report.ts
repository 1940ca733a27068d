import type { CompletionReport } from '@delta-ci/contracts';

/** What a runner says of a job that left nothing behind: no steps, no files, no log. */
export function aReport(
  outcome: CompletionReport['outcome'] = 'succeeded',
  over: Partial<CompletionReport> = {},
): CompletionReport {
  return {
    outcome,
    exitCode: outcome === 'succeeded' ? 0 : 1,
    signal: null,
    steps: [],
    usage: { wallMs: 1, cpuMs: 1, memoryPeakBytes: null },
    artifacts: [],
    caches: [],
    infrastructureError: null,
    logBytes: 0,
    logTruncated: false,
    runnerStartedAtMs: 0,
    runnerFinishedAtMs: 1,
    summary: '',
    ...over,
  };
}
