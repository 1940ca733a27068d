import type { CompletionReport, StepResult } from '@delta-ci/contracts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import type { FailureEvidence } from './evidence.ts';

const usage = { wallMs: 1_200, cpuMs: 900, memoryPeakBytes: 64 * 1024 * 1024 };

export function stepResult(given: Partial<StepResult> = {}): StepResult {
  const ended = { exitCode: 1, signal: null, timedOut: false, oomKilled: false };
  return { name: 'test', ...ended, usage, logRange: { from: 0, to: 0 }, ...given };
}

export const completionReport = (given: Partial<CompletionReport> = {}): CompletionReport =>
  aReport('failed', { steps: [stepResult()], usage, runnerFinishedAtMs: 1_200, ...given });

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
