import type { FailureExplanation } from '@delta-ci/contracts';
import { egressCauses } from '../egress/egress-causes.ts';
import type { FailureEvidence } from '../evidence.ts';
import type { FailedTest, TestFindings } from '../failed-tests/failed-test.ts';
import { FAILED_TESTS_MAX } from '../failed-tests/failed-test.ts';
import { findFailedTests } from '../failed-tests/find-failed-tests.ts';
import { matchRules, type RuleMatch } from '../rules/match-rules.ts';
import { NEARNESS } from '../rules/rule.ts';
import { shown, shownOnOneLine } from '../text/clean-text.ts';
import { packageDirectory, type Location } from '../text/locations.ts';
import { linesWithin, readLines, type LogLine } from '../text/log-lines.ts';
import type { Account, Findings } from './account.ts';
import { decidingEgress, egressRemark, explainByEgress } from './explain-by-egress.ts';
import { explainByReport } from './explain-by-report.ts';
import { explainByRule } from './explain-by-rule.ts';
import { explainByTests } from './explain-by-tests.ts';
import { mergeTests } from './merge-tests.ts';
import { exitCodeOf, reportFact, silentStepOf } from './report-facts.ts';

/**
 * Why an attempt failed: a value that always fits the contract, whatever the evidence holds. It never throws, and its
 * work is bounded by the bounds on lines, tries and matches.
 */
export function explainFailure(evidence: FailureEvidence): FailureExplanation {
  const { lines, cut } = readLines(evidence.log);
  const findings = findingsOf(evidence, lines);
  const account = accountOf(findings);
  return {
    class: account.class,
    category: account.category,
    confidence: account.confidence,
    headline: shownOnOneLine(account.headline, 300) || 'The job failed',
    sentences: account.sentences.slice(0, 20),
    location: shownLocation(account.location),
    failedTests: (findings.tests?.failed ?? []).slice(0, FAILED_TESTS_MAX).map(shownTest),
    rules: rulesOf(findings),
    nextStep: shownOnOneLine(account.nextStep, 1_000),
    incomplete: incompleteness(evidence, lines, cut).map((text) => shownOnOneLine(text, 500)),
  };
}

function findingsOf(evidence: FailureEvidence, lines: readonly LogLine[]): Findings {
  const { report, outcome, log } = evidence;
  const ofStep = log.failedStep === null ? [] : linesWithin(lines, log.failedStep);
  // What other steps printed does not explain one that printed nothing.
  const looked = ofStep.length > 0 ? ofStep : silentStepOf(report) === null ? lines : [];
  const within = packageDirectory(looked);
  const told = findFailedTests(looked, within);
  return {
    evidence,
    lines,
    within,
    fact: reportFact(report, outcome),
    matches: besidesExamples(matchRules(looked, exitCodeOf(report)), told),
    tests: mergeTests(evidence, told, within),
    egress: egressCauses(report, looked),
  };
}

/** What Rust's compiler says of a documented example is the story of that test: all else was compiled before it. */
function besidesExamples(matches: readonly RuleMatch[], told: TestFindings | null): readonly RuleMatch[] {
  if (told?.format !== 'cargo-test') return matches;
  const isTold = ({ number }: LogLine): boolean =>
    told.failed.some(({ lines }) => lines !== null && number >= lines.from && number <= lines.to);
  return matches.filter(({ rule, line }) => rule.category !== 'compile' || !isTold(line));
}

/**
 * The nearest to the root: what the report decides alone, then a connection that Delta itself refused, then causes that keep tests
 * from running, then tests.
 */
function accountOf(findings: Findings): Account {
  const egress = findings.fact.decides === 'all' ? null : decidingEgress(findings);
  if (egress !== null) return explainByEgress(findings, egress);
  const account = accountWithoutEgress(findings);
  return saysNothingOfTheJob(findings)
    ? account
    : { ...account, sentences: [...account.sentences, ...egressRemark(findings)] };
}

/** Nobody judged the job: what its steps could not reach has nothing to do with it. */
const saysNothingOfTheJob = ({ evidence: { report } }: Findings): boolean =>
  report === null || report.infrastructureError !== null;

function accountWithoutEgress(findings: Findings): Account {
  const { fact, matches, tests } = findings;
  const [best] = matches;
  if (fact.decides === 'all') return explainByReport(findings);
  if (tests !== null && (best === undefined || best.rule.precedence <= NEARNESS.test))
    return explainByTests(findings, tests);
  if (best !== undefined) return explainByRule(findings, best);
  return explainByReport(findings);
}

function rulesOf({ fact, matches, tests, egress }: Findings): string[] {
  const found = matches.map(({ rule }) => `log:${rule.id}`);
  const seen = tests === null ? [] : [`tests:${tests.format}`];
  const refused = egress.map(({ decision }) => `egress:${decision.reason}`);
  const others = found.length + seen.length + refused.length;
  const told = fact.decides === 'nothing' && others > 0 ? [] : [`report:${fact.rule}`];
  return [...new Set([...told, ...refused, ...seen, ...found])].slice(0, 50);
}

function shownLocation(location: Location | null): FailureExplanation['location'] {
  if (location === null) return null;
  const path = shownOnOneLine(location.path, 4_000);
  return path === '' ? null : { path, line: location.line };
}

function shownTest(test: FailedTest): FailureExplanation['failedTests'][number] {
  const place = test.path === null ? null : shownLocation({ path: test.path, line: test.line });
  return {
    name: shownOnOneLine(test.name, 1_000),
    suite: shownOnOneLine(test.suite, 1_000),
    message: shown(test.message, 4_000),
    path: place?.path ?? null,
    line: place?.line ?? null,
  };
}

function incompleteness({ log, unread, report }: FailureEvidence, lines: readonly LogLine[], cut: boolean): string[] {
  const missing: string[] = [];
  if (log.truncated || report?.logTruncated === true)
    missing.push('The log was cut at its size limit: between its beginning and its end, lines are missing.');
  const unseen = log.totalLines - lines.length;
  if (cut || unseen > 0) {
    missing.push(`Of ${log.totalLines} lines of the log, ${Math.max(unseen, 0)} were not looked at.`);
  }
  if (log.totalLines === 0) missing.push('There is no log.');
  return [...missing, ...unread].slice(0, 20);
}
