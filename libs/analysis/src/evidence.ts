import type { CompletionReport } from '@delta-ci/contracts';
import type { TestReport } from './junit/parse-junit.ts';

/** A stretch of the log as text; its first line has number `firstLine` (1-based) in the whole log. */
export interface LogWindow {
  readonly firstLine: number;
  readonly text: string;
}

/** First and last line of something in the log, 1-based and inclusive. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

export interface LogEvidence {
  /** In order and without overlap. */
  readonly windows: readonly LogWindow[];
  readonly totalLines: number;
  /** The log itself was cut, by the runner or by the store. */
  readonly truncated: boolean;
  /** Lines of the step that failed, when they are known: causes are looked for there first. */
  readonly failedStep: LineRange | null;
}

/** What the job is, as far as it helps to name it. */
export interface JobFacts {
  readonly key: string;
  readonly title: string;
  readonly kind?: string;
}

/** Everything an explanation is made of. All of it is untrusted. */
export interface FailureEvidence {
  readonly outcome: 'failed' | 'timed_out' | 'lost';
  /** The log of record's reason for the outcome, one sentence. */
  readonly reason: string;
  /** Null when nobody could report: the attempt was lost. */
  readonly report: CompletionReport | null;
  readonly log: LogEvidence;
  readonly testReports: readonly TestReport[];
  readonly job: JobFacts;
  /** What could not be read, one sentence each: it becomes part of `incomplete`. */
  readonly unread: readonly string[];
}
