import type { CompletionReport, StepResult } from '@delta-ci/contracts';
import type { FailureEvidence } from './evidence.ts';

const usage = { wallMs: 1_200, cpuMs: 900, memoryPeakBytes: 64 * 1024 * 1024 };

export function stepResult(given: Partial<StepResult> = {}): StepResult {
  const ended = { exitCode: 1, signal: null, timedOut: false, oomKilled: false };
  return { name: 'test', ...ended, usage, logRange: { from: 0, to: 0 }, ...given };
}

export function completionReport(given: Partial<CompletionReport> = {}): CompletionReport {
  return {
    outcome: 'failed',
    exitCode: 1,
    signal: null,
    steps: [stepResult()],
    usage,
    artifacts: [],
    caches: [],
    infrastructureError: null,
    logBytes: 0,
    logTruncated: false,
    runnerStartedAtMs: 0,
    runnerFinishedAtMs: 1_200,
    summary: '',
    ...given,
  };
}

/** Evidence of an attempt that failed with this log. */
export function evidenceOf(log: string, given: Partial<FailureEvidence> = {}): FailureEvidence {
  const totalLines = log.replace(/\n$/, '').split('\n').length;
  return {
    outcome: 'failed',
    reason: 'a step exited with a failure',
    report: completionReport(),
    log: { windows: [{ firstLine: 1, text: log }], totalLines, truncated: false, failedStep: null },
    testReports: [],
    job: { key: 'cart-test', title: 'Test @shop/cart' },
    unread: [],
    ...given,
  };
}
