import type { FailedTest, TestFindings } from '../failed-tests/failed-test.ts';
import { linearPattern } from '../text/linear-pattern.ts';
import { linesWithin, type LogLine } from '../text/log-lines.ts';
import { clipped } from '../text/clean-text.ts';
import { exitSentence } from './exit-sentence.ts';
import type { Account, Findings } from './account.ts';
import { cited, citedLine, citedLines, sentence, type Cited, type Sentence } from './sentences.ts';

/** Values and messages inside sentences stay short: the failed test itself has them whole. */
const QUOTED_CHARS_MAX = 200;
/** Further tests that are named in a sentence. */
const NAMED_MAX = 5;

/** What failed tests say: which, where, and what they compared. */
export function explainByTests(findings: Findings, tests: TestFindings): Account {
  const [first] = tests.failed;
  const failed = Math.max(tests.totals?.failed ?? 0, tests.failed.length);
  return {
    class: findings.fact.decides === 'class' ? findings.fact.class : 'user',
    category: 'test',
    confidence: 'high',
    headline: headlineOf(first, failed, tests),
    sentences: [
      ...(first === undefined ? [] : firstSentences(first, findings)),
      ...otherSentence(tests, findings),
      ...totalsSentence(tests, findings),
      ...exitSentence(findings),
    ],
    location: first === undefined || first.path === null ? null : { path: first.path, line: first.line },
    nextStep: nextStepOf(first, findings),
  };
}

function headlineOf(first: FailedTest | undefined, failed: number, { totals }: TestFindings): string {
  const all = totals === null ? '' : ` of ${totals.passed + failed}`;
  const count = `${failed}${all} ${failed === 1 && all === '' ? 'test' : 'tests'} failed`;
  return first === undefined ? count : `${count}: ${clipped(first.name, QUOTED_CHARS_MAX)}`;
}

function firstSentences(test: FailedTest, findings: Findings): Sentence[] {
  const evidence = evidenceOf(test, findings);
  const at = test.line === null ? '' : `, line ${test.line}`;
  const where = test.path === null ? '' : ` in ${test.path}${at}`;
  const failed = sentence(`The test “${clipped(test.name, QUOTED_CHARS_MAX)}” failed${where}.`, evidence);
  const why = whyOf(test);
  return why === null ? [failed] : [failed, sentence(why, whyEvidence(test, findings))];
}

function whyOf({ compared, message }: FailedTest): string | null {
  const quoted = (text: string): string => clipped(text, QUOTED_CHARS_MAX);
  if (compared !== null && 'expected' in compared)
    return `It expected ${quoted(compared.expected)} and got ${quoted(compared.actual)}.`;
  const [line] = message.split('\n', 1);
  if (line === undefined || line === '') return null;
  const says = `It says: “${quoted(line)}”`;
  return compared === null
    ? says
    : `${says}, with ${quoted(compared.left)} on the left and ${quoted(compared.right)} on the right.`;
}

/** The lines that show both values, or the first line of the message: less than the whole story of the test. */
function whyEvidence(test: FailedTest, findings: Findings): Cited[] {
  const told = test.lines === null ? [] : linesWithin(findings.lines, test.lines);
  const [one, other] = valuesOf(test);
  const both = tersest(told.filter(({ text }) => shows(text, one) && shows(text, other)));
  const each = [one, other].map((value) => tersest(told.filter(({ text }) => shows(text, value))));
  const found = (both === undefined ? each : [both]).filter((line) => line !== undefined);
  return found.length === 0 ? evidenceOf(test, findings) : found.map(citedLine);
}

function valuesOf({ compared, message }: FailedTest): [string, string] {
  if (compared === null) return [message.split('\n', 1)[0] ?? '', ''];
  return 'expected' in compared ? [compared.expected, compared.actual] : [compared.left, compared.right];
}

/** The line that says little else: short values are also parts of durations, places and names. */
const tersest = (lines: readonly LogLine[]): LogLine | undefined =>
  lines.toSorted((one, other) => one.text.length - other.text.length).at(0);

const PART_OF_A_WORD = /[\p{L}\p{N}_]/u;

/** Whether a value stands in a line by itself, and not as a part of a longer word or number. */
function shows(text: string, value: string): boolean {
  const isPart = (inside: string, beside: string): boolean =>
    PART_OF_A_WORD.test(inside) && PART_OF_A_WORD.test(beside);
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    const end = at + value.length;
    if (!isPart(value.slice(0, 1), text.slice(at - 1, at)) && !isPart(value.slice(-1), text.slice(end, end + 1)))
      return true;
  }
  return false;
}

function evidenceOf(test: FailedTest, { lines }: Findings): Cited[] {
  if (test.lines !== null) return [citedLines(lines, test.lines)];
  return [cited('test', `${test.suite} ${test.name}: ${test.message}`.trim())];
}

function otherSentence({ failed }: TestFindings, findings: Findings): Sentence[] {
  const others = failed.slice(1, 1 + NAMED_MAX);
  if (others.length === 0) return [];
  const names = others.map(({ name }) => `“${clipped(name, 80)}”`).join(', ');
  const more = failed.length - 1 - others.length;
  const rest = more > 0 ? ` and ${more} more` : '';
  return [
    sentence(
      `Also failed: ${names}${rest}.`,
      others.flatMap((test) => evidenceOf(test, findings)),
    ),
  ];
}

function totalsSentence({ totals, tool }: TestFindings, { lines }: Findings): Sentence[] {
  if (totals === null || totals.passed <= 0) return [];
  const evidence =
    totals.lines.length === 0
      ? [cited('test', `${totals.passed} passed, ${totals.failed} failed`)]
      : totals.lines.map((range) => citedLines(lines, range));
  const passed = totals.passed === 1 ? 'One other test' : `${totals.passed} other tests`;
  return [sentence(`${passed} passed, according to ${tool}.`, evidence)];
}

const COMMAND = linearPattern('^npm (?:error|ERR!) command (?:sh|bash) -c (?P<command>.+)$');

/** The command npm ran, as its own closing remark or its heading names it. */
function commandOf(lines: readonly LogLine[]): string | null {
  for (const { text } of lines) {
    if (!text.startsWith('npm e') && !text.startsWith('npm E')) continue;
    const command = COMMAND.find(text)?.['command'];
    if (command !== undefined) return command;
  }
  return null;
}

function nextStepOf(first: FailedTest | undefined, { lines, within }: Findings): string {
  const command = commandOf(lines);
  const again =
    command === null
      ? 'Run that test alone to see it again'
      : `Run \`${clipped(command, 100)}\`${within === '' ? '' : ` in ${within}`} to see it again`;
  if (first === undefined || first.path === null) return `${again}.`;
  const at = first.line === null ? '' : `:${first.line}`;
  return `${again}, and start reading at ${first.path}${at}. If the test did not change, what it calls did.`;
}
