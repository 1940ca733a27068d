import { egressInWords, egressPlaceInWords, egressWhyInWords } from '@delta-ci/contracts';
import { egressAdvice } from '../egress/egress-advice.ts';
import { quotes, type EgressCause } from '../egress/egress-causes.ts';
import type { TestFindings } from '../failed-tests/failed-test.ts';
import type { RuleMatch } from '../rules/match-rules.ts';
import { NEARNESS } from '../rules/rule.ts';
import { linesWithin } from '../text/log-lines.ts';
import { exitSentence } from './exit-sentence.ts';
import type { Account, Findings } from './account.ts';
import { cited, citedLine, sentence, type Sentence } from './sentences.ts';

/** Further places that are named in a sentence. */
const NAMED_MAX = 5;
/** Lines around an uncaught error in which its own cause is told. */
const LINES_AFTER = 25;
const LINES_BEFORE = 6;

/**
 * The connection that the failure comes from: the first one that came to nothing, unless something else explains the failure and
 * does not speak of it. Null when there is none.
 */
export function decidingEgress({ egress, matches, tests, lines }: Findings): EgressCause | null {
  const [first] = egress;
  if (first === undefined) return null;
  const [best] = matches;
  if (tests !== null && (best === undefined || best.rule.precedence <= NEARNESS.test))
    return egress.find(({ decision }) => areSpokenOfBy(tests, decision, lines)) ?? null;
  if (best === undefined || best.rule.category === 'network') return first;
  return egress.find((cause) => standsBehind(cause, best, lines)) ?? null;
}

/** Whether the first failed test speaks of it: what other tests print may well be meant to. */
function areSpokenOfBy(
  { failed: [test] }: TestFindings,
  decision: EgressCause['decision'],
  lines: Findings['lines'],
): boolean {
  if (test === undefined) return false;
  const told = test.lines === null ? [] : linesWithin(lines, test.lines);
  return [test.message, ...told.map(({ text }) => text)].some((text) => quotes(text, decision));
}

/**
 * Whether a line that a rule recognised only repeats what a proxy answered, or follows from it: what is fetched is needed by
 * whatever compiles, is installed or is started after it. A full disk is a cause of its own.
 */
function standsBehind({ quoted, decision }: EgressCause, { rule, line }: RuleMatch, lines: Findings['lines']): boolean {
  if (quotes(line.text, decision)) return true;
  if (quoted === null || rule.precedence >= NEARNESS.machine) return false;
  if (rule.precedence > NEARNESS.lint) return quoted.number <= line.number;
  const near = linesWithin(lines, { from: line.number - LINES_BEFORE, to: line.number + LINES_AFTER });
  return near.some(({ text }) => quotes(text, decision));
}

/** What was decided about a connection, as the account of the failure. */
export function explainByEgress(findings: Findings, cause: EgressCause): Account {
  const { decision, quoted } = cause;
  const advice = egressAdvice(decision);
  const { fact } = findings;
  return {
    class: fact.decides === 'class' ? fact.class : advice.class,
    category: advice.category,
    confidence: quoted === null ? 'medium' : 'high',
    headline: `${whatHappened(cause)}: ${egressWhyInWords(decision)}`,
    sentences: [
      toldSentence(cause),
      ...(quoted === null ? [] : [sentence(`The step says of it: “${quoted.text.trim()}”`, [citedLine(quoted)])]),
      ...otherSentence(findings, cause),
      ...exitSentence(findings),
    ],
    location: null,
    nextStep: advice.nextStep,
  };
}

/** Beside another cause: what the failed step could not reach may have to do with it. */
export function egressRemark({ egress: [cause] }: Findings): Sentence[] {
  if (cause === undefined) return [];
  return [
    sentence(
      `In the same step, ${whatHappened(cause)}: ${egressWhyInWords(cause.decision)}. It may have to do with this.`,
      [evidenceOf(cause)],
    ),
  ];
}

function whatHappened({ decision }: EgressCause): string {
  const place = egressPlaceInWords(decision);
  if (place === null) return 'Delta ended a connection of the job';
  return decision.decision === 'refused'
    ? `Delta did not let the job reach ${place}`
    : `Delta could not lead the job to ${place}`;
}

function toldSentence(cause: EgressCause): Sentence {
  const { decision, count } = cause.decision;
  const times = count === 1 ? 'once' : `${count} times`;
  const text =
    decision === 'refused'
      ? `It was refused by Delta itself, ${times}: no server has said no.`
      : `Delta would have let the job out, tried ${times}, and found nothing that answers there.`;
  return sentence(text, [evidenceOf(cause)]);
}

const evidenceOf = ({ told, decision }: EgressCause): Sentence['evidence'][number] =>
  told === null ? cited('step', egressInWords(decision)) : citedLine(told);

function otherSentence({ egress }: Findings, cause: EgressCause): Sentence[] {
  const others = egress.filter((one) => one !== cause);
  if (others.length === 0) return [];
  const named = others.slice(0, NAMED_MAX);
  const more = others.length - named.length;
  const words = named.map(({ decision }) => egressInWords(decision)).join('; ');
  return [sentence(`Also in this step: ${words}${more > 0 ? `; and ${more} more` : ''}.`, named.map(evidenceOf))];
}
