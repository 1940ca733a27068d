import { RepositoryId, stepNameOf, type LearnedDuration, type LearnedDurations } from '@delta-ci/contracts';
import { databaseUrlFor } from '../log/mesh-of-checkout.ts';
import { withLog, type DatabaseOptions } from '../log/with-log.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { durationText } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface DurationsOptions extends DatabaseOptions {
  readonly json?: boolean;
}

/** `delta durations`: what planning is told about how long steps of a repository take. */
export async function durations(
  surroundings: Surroundings,
  repository: string,
  options: DurationsOptions,
): Promise<ExitCode> {
  const id = RepositoryId.safeParse(repository);
  if (!id.success)
    throw new Problem('invalid_usage', `"${repository}" names no repository: write it as forge/owner/name`);
  const databaseUrl = await databaseUrlFor(surroundings, options);
  const learned = await withLog(databaseUrl, async (log, eventLog) => {
    if ((await eventLog.findRepository(log, id.data)) === null) {
      throw new Problem('not_found', `nothing is known of the repository ${id.data}`, {
        next: 'see which there are with `delta runs list`',
      });
    }
    return new eventLog.RecalledDurations(log).recall(id.data);
  });
  if (options.json === true) printJson(surroundings, learned);
  else surroundings.out(durationsText(surroundings, learned));
  return EXIT.succeeded;
}

/** The longest first; of equal ones by name. */
export function durationsText(surroundings: Surroundings, { startUp, steps }: LearnedDurations): string {
  const known = Object.entries(steps).sort(
    ([one, { ms }], [other, { ms: more }]) => more - ms || (one < other ? -1 : 1),
  );
  if (startUp === null && known.length === 0) return 'no trusted run of it has succeeded yet: nothing was learned\n';
  const row = (name: string, duration: LearnedDuration): string[] => [
    durationText(duration.ms),
    String(duration.runs),
    safeLine(name),
  ];
  const rows = [
    ...(startUp === null ? [] : [row('(start: sandbox, checkout, uploads)', startUp)]),
    ...known.map(([key, duration]) => row(stepNameOf(key), duration)),
  ];
  return table(surroundings, ['TAKES', 'RUNS', 'STEP'], rows);
}
