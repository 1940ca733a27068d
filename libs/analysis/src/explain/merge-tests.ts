import type { FailureEvidence } from '../evidence.ts';
import type { FailedTest, TestFindings, TestTotals } from '../failed-tests/failed-test.ts';
import type { ReportedFailure } from '../junit/parse-junit.ts';
import { locationIn, locationOf, type Location } from '../text/locations.ts';

/** Lines of a failure's text in which a place in the repository is looked for. */
const DETAIL_LINES_MAX = 60;

/** Test reports are made for machines and come first; where they name a test the log tells of, the log's lines are added. */
export function mergeTests(
  evidence: FailureEvidence,
  fromLog: TestFindings | null,
  within: string,
): TestFindings | null {
  const reported = evidence.testReports.flatMap(({ failures }) => failures);
  if (reported.length === 0) return fromLog;
  const failed = reported.map((failure) => completed(failure, fromLog?.failed ?? [], within));
  return { format: 'junit', tool: 'the test report', failed, totals: totalsOf(evidence) };
}

function totalsOf({ testReports }: FailureEvidence): TestTotals {
  const sum = (count: (report: (typeof testReports)[number]) => number): number =>
    testReports.reduce((total, report) => total + count(report), 0);
  const failed = sum((report) => report.failed);
  return { failed, passed: sum(({ tests, skipped }) => tests - skipped) - failed, lines: [] };
}

function completed(failure: ReportedFailure, told: readonly FailedTest[], within: string): FailedTest {
  const twin = twinOf(failure, told);
  const place = placeOf(failure, within);
  return {
    name: failure.name,
    suite: failure.suite,
    message: failure.message === '' ? failure.detail : failure.message,
    path: twin?.path ?? place?.path ?? null,
    line: twin?.line ?? place?.line ?? null,
    compared: twin?.compared ?? null,
    lines: twin?.lines ?? null,
  };
}

/** The test of the log that a report names: classes and files may have tests of one name, and then theirs has to fit too. */
function twinOf({ name, suite }: ReportedFailure, told: readonly FailedTest[]): FailedTest | undefined {
  const exactly = told.filter((test) => test.name === name);
  const named = exactly.length > 0 ? exactly : told.filter((test) => test.name.endsWith(name));
  if (named.length <= 1) return named[0];
  return named.find((test) => test.suite === suite || `${suite}.${name}`.endsWith(test.name));
}

function placeOf({ file, line, detail }: ReportedFailure, within: string): Location | null {
  const named = file === null ? null : locationOf(file, line ?? undefined, within);
  if (named?.line !== undefined && named.line !== null) return named;
  for (const text of detail.split('\n', DETAIL_LINES_MAX)) {
    const place = locationIn(text.slice(0, 1_000), within);
    if (place !== null && (named === null || place.path === named.path)) return place;
  }
  return named;
}
