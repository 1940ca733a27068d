export type { FailureEvidence, JobFacts, LineRange, LogEvidence, LogWindow } from './evidence.ts';
export { explainFailure } from './explain/explain-failure.ts';
export {
  JUNIT_LIMITS,
  parseJunit,
  type JunitLimits,
  type JunitRefusal,
  type ParsedJunit,
  type ReportedFailure,
  type TestReport,
} from './junit/parse-junit.ts';
export { NOTABLE_HINTS } from './notable-hints.ts';
export { scrubbed, withoutTerminalCodes } from './text/clean-text.ts';
export { LINES_MAX, LOG_CHARS_MAX } from './text/log-lines.ts';
