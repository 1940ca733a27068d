import type { FailedTest } from '../failed-tests/failed-test.ts';
import { filled, groupOf, type RuleMatch } from '../rules/match-rules.ts';
import { cargoPackages, cargoPlace } from '../text/cargo-place.ts';
import { linearPattern } from '../text/linear-pattern.ts';
import { locationIn, locationOf, type Location } from '../text/locations.ts';
import { firstListedError, type ListedError } from '../text/listed-errors.ts';
import type { LogLine } from '../text/log-lines.ts';
import { exitSentence } from './exit-sentence.ts';
import type { Account, Findings } from './account.ts';
import { citedLine, citedLines, sentence, type Sentence } from './sentences.ts';

/** Lines around a match in which a compiler or a stack names the place. */
const LINES_AFTER = 25;
const LINES_BEFORE = 6;

/** What a line of the log says, according to the rule that recognised it. */
export function explainByRule(findings: Findings, best: RuleMatch): Account {
  const { fact } = findings;
  const { rule, groups, line } = best;
  const listed = rule.category === 'lint' ? firstListedError(findings.lines, line.number) : null;
  const location = listed?.location ?? placeOf(best, findings);
  return {
    class: fact.decides === 'class' ? fact.class : rule.class,
    category: rule.category,
    confidence: rule.confidence,
    headline: filled(rule.headline, groups),
    sentences: [
      sentence(filled(rule.explanation, groups), [citedLine(line)]),
      ...(listed === null ? placeSentence(location, findings, best) : [listedSentence(listed)]),
      ...furtherSentence(findings, best),
      ...exitSentence(findings),
    ],
    location,
    nextStep: rule.nextStep,
  };
}

function placeOf({ rule, groups, line }: RuleMatch, { lines, within, tests }: Findings): Location | null {
  const path = groupOf(groups, 'path');
  const named = path === undefined ? null : locationOf(path, groupOf(groups, 'line'), within);
  return (
    named ??
    placeNear(linesNear(lines, line.number), within) ??
    (rule.category === 'compile' ? placeByCompiler(lines, line.number) : null) ??
    placeOfTest(tests?.failed ?? [], line.number)
  );
}

/** Stacks stand below a message; a syntax error and an ESLint summary have their place above. Nearest first. */
function linesNear(lines: readonly LogLine[], number: number): LogLine[] {
  const near = (from: number, to: number): LogLine[] =>
    lines.filter((line) => line.number >= from && line.number <= to);
  return [...near(number, number + LINES_AFTER), ...near(number - LINES_BEFORE, number - 1).reverse()];
}

function placeNear(near: readonly LogLine[], within: string): Location | null {
  for (const { text } of near) {
    if (!text.includes('/workspace/')) continue;
    const place = locationIn(text.slice(text.indexOf('/workspace/')), within);
    if (place !== null) return place;
  }
  return null;
}

const COMPILER_PLACE = linearPattern('^ *--> (?P<path>[^\\s:]+):(?P<line>[0-9]{1,8}):');

/** The place that Rust's compiler names below an error. */
function placeByCompiler(lines: readonly LogLine[], number: number): Location | null {
  const found = lines
    .filter((line) => line.number > number && line.number <= number + LINES_AFTER)
    .map(({ text }) => COMPILER_PLACE.find(text))
    .find((place) => place !== null);
  return found?.['path'] === undefined ? null : cargoPlace(found['path'], found['line'], cargoPackages(lines));
}

/** The place of the failed test whose story the line is part of. */
function placeOfTest(failed: readonly FailedTest[], number: number): Location | null {
  const test = failed.find(({ lines }) => lines !== null && number >= lines.from && number <= lines.to);
  return test === undefined || test.path === null ? null : { path: test.path, line: test.line };
}

function placeSentence(location: Location | null, { lines }: Findings, { line, groups }: RuleMatch): Sentence[] {
  if (location === null || groupOf(groups, 'path') !== undefined) return [];
  const at = location.line === null ? '' : `, line ${location.line}`;
  const named = linesNear(lines, line.number).find(({ text }) => text.includes(location.path));
  return [sentence(`The place it points at is ${location.path}${at}.`, named === undefined ? [] : [citedLine(named)])];
}

function listedSentence({ location: { path, line }, message, line: told }: ListedError): Sentence {
  const at = line === null ? '' : `, line ${line}`;
  const plain = message
    .split(' ')
    .filter((word) => word !== '')
    .join(' ');
  return sentence(`The first is in ${path}${at}: ${plain}`, [citedLine(told)]);
}

/** How many more lines say the same, so that nobody takes the first for the only one. */
function furtherSentence({ matches, lines }: Findings, best: RuleMatch): Sentence[] {
  const same = matches.filter(({ rule, line }) => rule.id === best.rule.id && line.text !== best.line.text);
  const last = same.at(-1);
  const [first] = same;
  if (first === undefined || last === undefined) return [];
  const more = same.length === 1 ? 'One more line says' : `${same.length} more lines say`;
  return [
    sentence(`${more} something of the same kind.`, [
      citedLines(lines, { from: first.line.number, to: last.line.number }),
    ]),
  ];
}
