import type { Json, JsonDifference } from '@delta-ci/contracts';
import type { DecisionDifference, ReplayedRun } from '@delta-ci/event-log';
import { artifactDirFor, databaseUrlFor, type ArtifactOptions } from '../log/mesh-of-checkout.ts';
import { planAgain, type PlannedAgain } from '../log/plan-again.ts';
import { withLog, type DatabaseOptions } from '../log/with-log.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import { verifyWholeLog } from './replay-verify.ts';

export interface ReplayOptions extends DatabaseOptions, ArtifactOptions {
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** `delta replay`: one run decided again, or the whole log folded again. */
export async function replay(
  surroundings: Surroundings,
  runId: string | undefined,
  options: ReplayOptions,
): Promise<ExitCode> {
  if ((runId === undefined) !== (options.verify === true)) {
    throw new Problem('invalid_usage', 'name a run to decide again, or say --verify to fold the whole log again');
  }
  return runId === undefined ? verifyWholeLog(surroundings, options) : replayOneRun(surroundings, runId, options);
}

async function replayOneRun(surroundings: Surroundings, runId: string, options: ReplayOptions): Promise<ExitCode> {
  const databaseUrl = await databaseUrlFor(surroundings, options);
  const artifactDir = await artifactDirFor(surroundings, options);
  const { replayed, planning } = await withLog(databaseUrl, async (log, eventLog) => {
    const run = await eventLog.replayRun(log, runId);
    if (run === null) throw new Problem('not_found', `the log has no run ${runId}`);
    const { FileArtifactStore } = await import('@delta-ci/artifact-store');
    const store = artifactDir === null ? null : new FileArtifactStore(artifactDir);
    return {
      replayed: run,
      planning: run.planning === null ? null : await planAgain({ log, eventLog, store }, run.planning),
    };
  });
  if (options.json === true) printJson(surroundings, { ...replayed, planning });
  else surroundings.out(replayText(surroundings, replayed, planning));
  return exitCodeOf(replayed, planning);
}

function exitCodeOf({ differences }: ReplayedRun, planning: PlannedAgain | null): ExitCode {
  if (differences.length > 0 || planning?.verdict === 'differs') return EXIT.failed;
  return planning?.verdict === 'not-judged' ? EXIT.notJudged : EXIT.succeeded;
}

function replayText({ paint }: Surroundings, replayed: ReplayedRun, planning: PlannedAgain | null): string {
  const { runId, events, decisions, notRecorded, differences } = replayed;
  const made = Object.entries(decisions).map(([decision, count]) => `${count} ${decision}`);
  const unknown = Object.entries(notRecorded).map(([decision, count]) => `${count} ${decision}`);
  const total = Object.values(decisions).reduce((sum, count) => sum + count, 0);
  const lines = [
    `${paint.bold(safeLine(runId))}: ${plural(events, 'event')}, ${plural(total, 'decision')} made again: ${made.join(', ')}`,
    ...(unknown.length === 0 ? [] : [`older than the record of their inputs, and not judged: ${unknown.join(', ')}`]),
    ...(planning === null ? [] : [planningText(planning)]),
    ...differences.map(differenceText),
  ];
  return `${lines.join('\n')}\n${verdictText(paint, replayed, planning)}\n`;
}

/** Never says of a decision that nobody could make again that it is the same. */
export function verdictText(
  paint: Surroundings['paint'],
  { notRecorded, differences }: Pick<ReplayedRun, 'notRecorded' | 'differences'>,
  planning: PlannedAgain | null,
): string {
  if (differences.length > 0 || planning?.verdict === 'differs') return paint.red('not what was recorded');
  const allJudged = Object.keys(notRecorded).length === 0 && (planning === null || planning.verdict === 'same');
  return allJudged
    ? paint.green('every decision is the one that was recorded')
    : paint.yellow('every decision that could be made again is the one that was recorded; the others are not judged');
}

function planningText(planning: PlannedAgain): string {
  switch (planning.verdict) {
    case 'same':
      return 'planning: the same again';
    case 'differs':
      return `planning: ${fieldText(planning.difference)}`;
    case 'not-recorded':
    case 'not-judged':
      return `planning: not judged: ${safeLine(planning.reason)}`;
  }
}

function differenceText({ position, event, decision, ...difference }: DecisionDifference): string {
  const asked = decision === null ? 'nothing that can be asked leads to it' : `decided by ${decision}`;
  return `position ${position}, ${event} (${asked}): ${fieldText(difference)}`;
}

const fieldText = ({ field, recorded, decided }: JsonDifference): string =>
  `${field === '' ? 'it' : safeLine(field)} was recorded as ${valueText(recorded)}, and is decided as ${valueText(decided)}`;

const VALUE_SHOWN_MAX = 200;

function valueText(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  const text = safeLine(JSON.stringify(value));
  return text.length <= VALUE_SHOWN_MAX ? text : `${text.slice(0, VALUE_SHOWN_MAX)}…`;
}
