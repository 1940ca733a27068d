import type { StageResult } from './make-trial.ts';

/** What one trial came to; `skipped` says why it was not made. */
export type TrialReport =
  | { readonly name: string; readonly version: string; readonly stages: readonly StageResult[]; readonly skipped: null }
  | { readonly name: string; readonly skipped: string };

const EXIT = { asExpected: 0, different: 1, nothingMade: 3 } as const;

/** 0 when all that was made came out as it should, 1 when something did not, 3 when nothing could be made. */
export function exitCodeOf(reports: readonly TrialReport[]): number {
  const made = reports.filter((report) => report.skipped === null);
  if (made.length === 0) return EXIT.nothingMade;
  return made.some(({ stages }) => stages.some(({ differences }) => differences.length > 0))
    ? EXIT.different
    : EXIT.asExpected;
}

/** A line for each stage with what is not as it should be below it, and a line that counts. */
export function reportText(reports: readonly TrialReport[]): string {
  const lines = reports.flatMap((report) =>
    report.skipped === null
      ? [`${report.name} (${report.version})`, ...report.stages.flatMap(stageLines)]
      : [`${report.name}: not made: ${report.skipped}`],
  );
  return `${[...lines, '', countsOf(reports)].join('\n')}\n`;
}

function stageLines({ what, jobs, durationMs, differences }: StageResult): string[] {
  const verdict = differences.length === 0 ? 'as it should be' : 'DIFFERENT';
  const head = `  ${what}: ${jobs} jobs in ${(durationMs / 1_000).toFixed(1)} s, ${verdict}`;
  return [head, ...differences.map((each) => `    ${each.replaceAll('\n', '\n    ')}`)];
}

function countsOf(reports: readonly TrialReport[]): string {
  const made = reports.filter((report) => report.skipped === null);
  const stages = made.flatMap((report) => report.stages);
  const jobs = stages.reduce((sum, stage) => sum + stage.jobs, 0);
  const different = stages.filter(({ differences }) => differences.length > 0).length;
  return (
    `${made.length} of ${reports.length} trials made, ${reports.length - made.length} left out; ` +
    `${stages.length} plans, ${jobs} jobs; ${different} plans not as they should be`
  );
}
