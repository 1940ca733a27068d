import type { FailureExplanation } from '@delta-ci/contracts';
import { safeLine } from './safe-text.ts';
import type { Surroundings } from '../surroundings.ts';

/** More failed tests than this are a list for `--json`. */
const TESTS_SHOWN = 5;

/** Why a job failed, for people: what, where, what speaks for it, and what to look at next. */
export function explanationText(
  { paint }: Pick<Surroundings, 'paint'>,
  job: string,
  {
    class: kind,
    category,
    confidence,
    headline,
    location,
    sentences,
    failedTests,
    nextStep,
    incomplete,
  }: FailureExplanation,
): string {
  const where = location === null ? '' : ` at ${location.path}${location.line === null ? '' : `:${location.line}`}`;
  const tests = failedTests.slice(0, TESTS_SHOWN).map(({ suite, name, message }) => {
    const title = suite === '' ? name : `${suite} > ${name}`;
    return `  ${paint.red('x')} ${safeLine(title)}${message === '' ? '' : `: ${safeLine(message.split('\n')[0] ?? '')}`}`;
  });
  const rest = failedTests.length - tests.length;
  const lines = [
    `${paint.bold(safeLine(job))}: ${safeLine(headline)}${safeLine(where) === '' ? '' : ` ${safeLine(where)}`}`,
    `  ${paint.dim(`${kind}, ${safeLine(category)}; confidence ${confidence}`)}`,
    ...sentences.map(({ text, evidence }) => `  ${safeLine(text)}${citedLines(job, evidence)}`),
    ...tests,
    ...(rest > 0 ? [`  and ${rest} more failed`] : []),
    ...incomplete.map((text) => `  incomplete: ${safeLine(text)}`),
    ...(nextStep === '' ? [] : [`  ${paint.bold('next:')} ${safeLine(nextStep)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Places as `delta logs` takes them. */
function citedLines(job: string, evidence: FailureExplanation['sentences'][number]['evidence']): string {
  const cited = evidence.flatMap(({ lines }) => {
    if (lines === null) return [];
    return [`#L${lines.from}${lines.from === lines.to ? '' : `-L${lines.to}`}`];
  });
  return cited.length === 0 ? '' : ` (log ${safeLine(job)}${cited.join(', ')})`;
}
