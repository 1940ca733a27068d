import type { FailureExplanation } from '@delta-ci/contracts';
import type { LineRange } from '../evidence.ts';
import { shown, shownOnOneLine } from '../text/clean-text.ts';
import { linesWithin, type LogLine } from '../text/log-lines.ts';

export type Sentence = FailureExplanation['sentences'][number];
export type Cited = Sentence['evidence'][number];

const SENTENCE_CHARS_MAX = 1_000;
const CITED_CHARS_MAX = 600;
/** Lines quoted of a range: enough to recognise the place, the log itself is a click away. */
const CITED_LINES_MAX = 8;
const EVIDENCE_MAX = 10;

export function sentence(text: string, evidence: readonly Cited[]): Sentence {
  return {
    text: shownOnOneLine(text, SENTENCE_CHARS_MAX) || '(nothing readable)',
    evidence: evidence.slice(0, EVIDENCE_MAX),
  };
}

/** Lines of the log, quoted from their beginning. */
export function citedLines(lines: readonly LogLine[], range: LineRange): Cited {
  const quoted = linesWithin(lines, range).slice(0, CITED_LINES_MAX);
  const text = shown(quoted.map((line) => line.text).join('\n'), CITED_CHARS_MAX);
  return { kind: 'log', lines: { from: range.from, to: Math.max(range.from, range.to) }, text };
}

export function citedLine(line: LogLine): Cited {
  return { kind: 'log', lines: { from: line.number, to: line.number }, text: shown(line.text, CITED_CHARS_MAX) };
}

/** Evidence that stands in the report or a test report, not in the log. */
export function cited(kind: Exclude<Cited['kind'], 'log'>, text: string): Cited {
  return { kind, lines: null, text: shownOnOneLine(text, CITED_CHARS_MAX) };
}
