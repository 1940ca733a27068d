import type { FailureExplanation } from '@delta-ci/contracts';
import type { FailureEvidence } from '../evidence.ts';
import type { FailedTest } from '../failed-tests/failed-test.ts';
import { FAILED_TESTS_MAX } from '../failed-tests/failed-test.ts';
import { findFailedTests } from '../failed-tests/find-failed-tests.ts';
import { matchRules } from '../rules/match-rules.ts';
import { NEARNESS } from '../rules/rule.ts';
import { shown, shownOnOneLine } from '../text/clean-text.ts';
import { packageDirectory, type Location } from '../text/locations.ts';
import { linesWithin, readLines, type LogLine } from '../text/log-lines.ts';
import type { Account, Findings } from './account.ts';
import { explainByReport } from './explain-by-report.ts';
import { explainByRule } from './explain-by-rule.ts';
import { explainByTests } from './explain-by-tests.ts';
import { mergeTests } from './merge-tests.ts';
import { exitCodeOf, reportFact } from './report-facts.ts';

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
  const looked = ofStep.length === 0 ? lines : ofStep;
  const within = packageDirectory(looked);
  return {
    evidence,
    lines,
    within,
    fact: reportFact(report, outcome),
    matches: matchRules(looked, exitCodeOf(report)),
    tests: mergeTests(evidence, findFailedTests(looked, within), within),
  };
}

/** The nearest to the root: what the report decides alone, then causes that keep tests from running, then tests. */
function accountOf(findings: Findings): Account {
  const { fact, matches, tests } = findings;
  const [best] = matches;
  if (fact.decides === 'all') return explainByReport(findings);
  if (tests !== null && (best === undefined || best.rule.precedence <= NEARNESS.test))
    return explainByTests(findings, tests);
  if (best !== undefined) return explainByRule(findings, best);
  return explainByReport(findings);
}

function rulesOf({ fact, matches, tests }: Findings): string[] {
  const found = matches.map(({ rule }) => `log:${rule.id}`);
  const seen = tests === null ? [] : [`tests:${tests.format}`];
  const told = fact.decides === 'nothing' && found.length + seen.length > 0 ? [] : [`report:${fact.rule}`];
  return [...new Set([...told, ...seen, ...found])].slice(0, 50);
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
    missing.push('The log was cut at its size limit; its end is not there.');
  const unseen = log.totalLines - lines.length;
  if (cut || unseen > 0) {
    missing.push(`Of ${log.totalLines} lines of the log, ${Math.max(unseen, 0)} were not looked at.`);
  }
  if (log.totalLines === 0) missing.push('There is no log.');
  return [...missing, ...unread].slice(0, 20);
}
