import type { Account, Findings } from './account.ts';
import { isOwnLine, OWN_MARK } from '../text/own-lines.ts';
import { linesWithin, type LogLine } from '../text/log-lines.ts';
import { exitSentence } from './exit-sentence.ts';
import { failedStepOf, silentStepOf } from './report-facts.ts';
import { citedLine, citedLines, cited, sentence, type Cited, type Sentence } from './sentences.ts';

/** Lines shown of the end of the log when nothing better is known. */
const LAST_LINES = 5;

/** What can be said from the report alone. */
export function explainByReport(findings: Findings): Account {
  const { fact, evidence } = findings;
  const { report } = evidence;
  const message = report?.infrastructureError?.message ?? '';
  return {
    class: fact.class,
    category: report?.infrastructureError?.code ?? fact.category,
    confidence: fact.confidence,
    headline: fact.headline + (message === '' ? '' : `: ${message}`),
    sentences: [
      sentence(fact.explanation, factEvidence(findings)),
      ...exitSentence(findings),
      ...runnerSays(findings),
      ...causeSentence(findings),
      ...lastLines(findings),
    ],
    location: null,
    nextStep: fact.nextStep,
  };
}

function factEvidence({ evidence, fact }: Findings): Cited[] {
  const { report, reason } = evidence;
  const error = report?.infrastructureError ?? null;
  if (error !== null) return [cited('step', `${error.code}: ${error.message}`)];
  if (fact.category === 'out-of-memory') {
    const peak = report?.usage.memoryPeakBytes ?? null;
    return [cited('resource', peak === null ? reason : `memory peak ${Math.round(peak / 1024 / 1024)} MiB; ${reason}`)];
  }
  return reason === '' ? [] : [cited('step', reason)];
}

/** The log may name what stands behind a fact of the report: which test hung, what filled the memory. */
function causeSentence({ matches, fact, lines }: Findings): Sentence[] {
  const [best] = matches;
  if (best === undefined || fact.category === 'runner-lost') return [];
  const range = { from: best.line.number, to: best.line.number };
  return [sentence(`The log has a line that may be behind it: “${best.line.text}”`, [citedLines(lines, range)])];
}

/** Which limit a step was ended by, in its runner's words, which have the figure. */
function runnerSays(findings: Findings): Sentence[] {
  const endedBy = failedStepOf(findings.evidence.report)?.endedBy ?? 'exit';
  // It is the last that is said of the step: what the job prints before, or another step after it, may only look like it.
  const said =
    endedBy === 'exit'
      ? undefined
      : linesOfStep(findings).findLast(({ text }) => ENDING_STARTS.some((start) => text.startsWith(start)));
  return said === undefined
    ? []
    : [sentence(`The runner says: “${said.text.slice(OWN_MARK.length)}”`, [citedLine(said)])];
}

/** All lines where nobody can tell which are the failed step's. */
const linesOfStep = ({ lines, evidence: { log } }: Findings): readonly LogLine[] =>
  log.failedStep === null ? lines : linesWithin(lines, log.failedStep);

/** As the runner's own lines begin that say what ended a step. */
const ENDING_STARTS = [`${OWN_MARK}ended: `, `${OWN_MARK}stopped: `];

/** The runner's own lines, a step's command among them, say nothing of why it failed. */
function lastLines(findings: Findings): Sentence[] {
  const { lines } = findings;
  const step = silentStepOf(findings.evidence.report);
  if (step !== null)
    return [sentence(`The step “${step.name}” printed nothing.`, [cited('step', 'no bytes of the log are its own')])];
  const told = linesOfStep(findings)
    .filter(({ text }) => text.trim() !== '' && !isOwnLine(text))
    .slice(-LAST_LINES);
  const [first, last] = [told[0], told.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [
    sentence(`The last thing the log says is: “${last.text.trim()}”`, [
      citedLines(lines, { from: first.number, to: last.number }),
    ]),
  ];
}
