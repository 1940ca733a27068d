import type { ArtifactRequest, Plan } from '@delta-ci/contracts';
import type { Carried, ReadReport } from './carry-out.ts';
import type { Outcomes } from './trial.ts';

/** What a plan and its jobs should have come to. */
export interface Expected {
  /** Exactly these jobs run. */
  readonly outcomes: Outcomes;
  /** What a failing job says or reports; null where nothing fails. */
  readonly told: RegExp | null;
}

/** What is not as it should be, each in a sentence; empty when all is. */
export function differencesOf({ outcomes, told }: Expected, plan: Plan, carried: readonly Carried[]): string[] {
  const planned = plan.jobs.map(({ key }) => key);
  const expected = Object.keys(outcomes);
  return [
    ...expected.filter((key) => !planned.includes(key)).map((key) => `${key} should run, and is not in the plan`),
    ...planned.filter((key) => !expected.includes(key)).map((key) => `${key} runs, and nothing should reach it`),
    ...carried.flatMap((each) => differencesOfJob(each, outcomes[each.job.key] ?? null, told)),
  ];
}

function differencesOfJob(carried: Carried, expected: string | null, told: RegExp | null): string[] {
  const { job, outcome, notJudged, output, reports } = carried;
  if (notJudged !== null) return [`${job.key} could not be judged: ${notJudged}`];
  if (expected !== null && outcome !== expected) {
    return [`${job.key} should have ${expected}, and ${outcome}:\n${lastLines(output)}`];
  }
  const texts = [output, ...reports.map(({ text }) => text)];
  const untold = outcome === 'failed' && told !== null && !texts.some((text) => told.test(text));
  return [
    ...(untold ? [`${job.key} failed, and not by what is wrong:\n${lastLines(output)}`] : []),
    ...reportDifferences(carried),
  ];
}

/**
 * A job that succeeded has left every report the plan asks for, and none says that something failed. One whose tests ran and
 * failed has left at least one that says so.
 */
function reportDifferences({ job, outcome, ranAll, reports }: Carried): string[] {
  const asked = job.artifacts.filter(({ type }) => type === 'junit');
  if (asked.length === 0) return [];
  const unread = reports
    .filter(({ report }) => report === null)
    .map(({ path }) => `${path} is no report that can be read`);
  if (outcome === 'succeeded') return [...unread, ...asked.flatMap((request) => missing(job.key, request, reports))];
  const failed = reports.reduce((sum, { report }) => sum + (report?.failed ?? 0), 0);
  return failed > 0 || !ranAll ? unread : [...unread, `${job.key} failed, and no report says which test did`];
}

function missing(key: string, { path }: ArtifactRequest, reports: readonly ReadReport[]): string[] {
  const answers = reports.filter(({ asked }) => asked === path).flatMap(({ report }) => report ?? []);
  const tests = answers.reduce((sum, report) => sum + report.tests, 0);
  const failed = answers.reduce((sum, report) => sum + report.failed, 0);
  if (tests === 0) return [`${key} succeeded, and left no test in ${path}`];
  return failed === 0 ? [] : [`${key} succeeded, and ${path} says that ${failed} tests failed`];
}

const LINES_SHOWN = 30;

function lastLines(output: string): string {
  const lines = output.trimEnd().split('\n').slice(-LINES_SHOWN);
  return lines.map((line) => `    ${line}`).join('\n');
}
