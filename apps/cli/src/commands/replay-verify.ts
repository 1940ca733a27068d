import type { ReplayProgress, TableComparison, VerifiedReplay } from '@delta-ci/event-log';
import { errorMessage } from '../error-code.ts';
import { databaseUrlFor } from '../log/mesh-of-checkout.ts';
import { withLog, type DatabaseOptions, type EventLog } from '../log/with-log.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { Progress } from '../screen/progress.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { durationText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

/** What differs, by name: tables with the keys of some rows; or why no keys can be named. */
type Named =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'rows'; readonly tables: readonly Pick<TableComparison, 'table' | 'differing'>[] }
  | { readonly kind: 'not-named'; readonly reason: string };

/** `delta replay --verify`: folds the log from nothing and compares it with what was signed and with the tables. */
export async function verifyWholeLog(
  surroundings: Surroundings,
  options: DatabaseOptions & { readonly json?: boolean },
): Promise<ExitCode> {
  const databaseUrl = await databaseUrlFor(surroundings, options);
  return withLog(databaseUrl, async (_log, eventLog) => {
    const startedMs = surroundings.nowMs();
    const progress = new Progress(surroundings, options);
    const replayed = await eventLog.verifyReplay({
      databaseUrl,
      onProgress: (reached) => {
        const text = (): string => progressText(reached, surroundings.nowMs() - startedMs);
        if (reached.phase === 'comparing') progress.showNow(text);
        else progress.show(text);
      },
      signal: surroundings.interrupted,
    });
    const tookMs = surroundings.nowMs() - startedMs;
    progress.end();
    const named = await nameRows(eventLog, databaseUrl, replayed);
    if (options.json === true) printJson(surroundings, { ...replayed, tookMs, named });
    else surroundings.out(verdictText(surroundings, replayed, named, tookMs));
    return replayed.equal ? EXIT.succeeded : EXIT.failed;
  });
}

/** Sums of hashes say that a table differs; which rows do is found by folding into real ones, which takes longer. */
async function nameRows(eventLog: EventLog, databaseUrl: string, { tables }: VerifiedReplay): Promise<Named> {
  if (tables.every(({ equal }) => equal)) return { kind: 'nothing' };
  try {
    const rebuilt = await eventLog.rebuildProjections({ databaseUrl });
    const differing = rebuilt.tables.filter(({ equal }) => !equal);
    return {
      kind: 'rows',
      tables: differing.map(({ table: name, differing: keys }) => ({ table: name, differing: keys })),
    };
  } catch (error) {
    return { kind: 'not-named', reason: errorMessage(error) };
  }
}

function verdictText(surroundings: Surroundings, replayed: VerifiedReplay, named: Named, tookMs: number): string {
  const { paint } = surroundings;
  const { position, tables, checkpoints, equal } = replayed;
  const perSecond = Math.round((position / Math.max(1, tookMs)) * 1_000);
  const rows = tables.map(({ table: name, rows: count, equal: same }) => [
    name,
    String(count.live),
    String(count.folded),
    { text: same ? 'equal' : 'differs', paint: same ? paint.green : paint.red },
  ]);
  const lines = [
    `folded ${plural(position, 'event')} and compared in ${durationText(tookMs)} (${perSecond}/s)`,
    `${plural(checkpoints.checked, 'checkpoint')} compared${checkpoints.differing.length === 0 ? '' : ', and not as signed:'}`,
    ...checkpoints.differing.map(
      ({ position: at, what, signed, found }) => `  position ${at}: ${what} ${signed} was signed, ${found} is there`,
    ),
    ...rowsText(named),
  ];
  const verdict = equal ? paint.green('the tables are what the log leads to') : paint.red('not what the log leads to');
  return `${lines.join('\n')}\n\n${table(surroundings, ['TABLE', 'ROWS', 'FOLDED', ''], rows)}\n${verdict}\n`;
}

function rowsText(named: Named): string[] {
  switch (named.kind) {
    case 'nothing':
      return [];
    case 'rows':
      return named.tables.map(
        ({ table: name, differing }) => `${name} differs at ${differing.map(safeLine).join('; ')}`,
      );
    case 'not-named':
      return [`which rows differ cannot be said: ${safeLine(named.reason)}`];
  }
}

/** `folded 120000 of 330000 events (36 %), 85000/s, 2.5s left` */
export function progressText({ phase, position, head }: ReplayProgress, tookMs: number): string {
  if (phase === 'comparing') return `folded all of ${head} events; comparing with the tables`;
  const perMs = position / Math.max(1, tookMs);
  const percent = Math.floor((position / Math.max(1, head)) * 100);
  const left = durationText((head - position) / Math.max(perMs, Number.MIN_VALUE));
  return `folded ${position} of ${head} events (${percent} %), ${Math.round(perMs * 1_000)}/s, ${left} left`;
}
