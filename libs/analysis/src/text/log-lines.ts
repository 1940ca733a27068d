import type { LineRange, LogEvidence } from '../evidence.ts';
import { withoutTerminalCodes } from './clean-text.ts';

/** One line of the log, without terminal codes, cut to a length that rules can look at. */
export interface LogLine {
  readonly number: number;
  readonly text: string;
}

/** Longer lines are data (minified code, encoded files), not messages. */
export const LINE_CHARS_MAX = 1_000;
/** What the windows of the analyzer hold at most, many times over for ordinary lines. */
export const LINES_MAX = 100_000;
/** Characters looked at in all; the analyzer's windows stay below it. */
export const LOG_CHARS_MAX = 4 * 1024 * 1024;

export interface ReadLines {
  readonly lines: readonly LogLine[];
  /** There was more than is looked at. */
  readonly cut: boolean;
}

/** The lines of all windows in order. What is beyond the bounds is left out and said. */
export function readLines(log: LogEvidence): ReadLines {
  const lines: LogLine[] = [];
  let chars = 0;
  for (const { firstLine, text } of log.windows) {
    let number = firstLine;
    for (let at = 0; at <= text.length; number += 1) {
      const newline = text.indexOf('\n', at);
      const end = newline === -1 ? text.length : newline;
      if (lines.length >= LINES_MAX || chars > LOG_CHARS_MAX) return { lines, cut: true };
      if (newline !== -1 || end > at) lines.push({ number, text: oneLine(text, at, end) });
      chars += end - at;
      at = end + 1;
    }
  }
  return { lines, cut: false };
}

/** A progress bar writes one line many times: what stood there last counts. */
function oneLine(text: string, from: number, to: number): string {
  const raw = text.slice(from, Math.min(to, from + LINE_CHARS_MAX * 2));
  const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
  const clean = withoutTerminalCodes(line.slice(line.lastIndexOf('\r') + 1));
  return clean.slice(0, LINE_CHARS_MAX).trimEnd();
}

/** The lines within a range. */
export function linesWithin(lines: readonly LogLine[], range: LineRange): LogLine[] {
  return lines.filter(({ number }) => number >= range.from && number <= range.to);
}
