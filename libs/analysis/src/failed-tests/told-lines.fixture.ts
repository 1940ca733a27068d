import type { LogLine } from '../text/log-lines.ts';

/** Lines of a log as the readers of test output get them. */
export const linesOf = (text: string): LogLine[] =>
  text.split('\n').map((line, at) => ({ number: at + 1, text: line.trimEnd() }));
