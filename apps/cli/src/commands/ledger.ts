import { RepositoryId } from '@delta-ci/contracts';
import { accountOf, percent, type LedgerAccount } from '@delta-ci/planning';
import { databaseUrlFor } from '../log/mesh-of-checkout.ts';
import { withLog, type DatabaseOptions } from '../log/with-log.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { durationText, plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface LedgerOptions extends DatabaseOptions {
  readonly json?: boolean;
}

/** `delta ledger`: what leaving jobs out spares in a repository, and what it may miss. */
export async function ledger(
  surroundings: Surroundings,
  repository: string,
  options: LedgerOptions,
): Promise<ExitCode> {
  const id = RepositoryId.safeParse(repository);
  if (!id.success)
    throw new Problem('invalid_usage', `"${repository}" names no repository: write it as forge/owner/name`);
  const databaseUrl = await databaseUrlFor(surroundings, options);
  const account = await withLog(databaseUrl, async (log, eventLog) => {
    if ((await eventLog.findRepository(log, id.data)) === null) {
      throw new Problem('not_found', `nothing is known of the repository ${id.data}`, {
        next: 'see which there are with `delta runs list`',
      });
    }
    const samples = await eventLog.whatDidShadowsFind(log, id.data);
    return accountOf(samples, await eventLog.whatDidPlansLeaveOut(log, id.data));
  });
  if (options.json === true) printJson(surroundings, account);
  else surroundings.out(ledgerText(surroundings, account));
  return EXIT.succeeded;
}

/** The newest ones are looked into; all are in the JSON. */
const ESCAPES_SHOWN_MAX = 10;

/** One row for each optimisation, and what stands above and below them in sentences. */
export function ledgerText(surroundings: Surroundings, account: LedgerAccount): string {
  const { rules, optimisations, spared, taken, shed, escapes } = account;
  if (optimisations.length === 0) {
    return 'no plan of it left anything out while a ledger was kept: see docs/shadow-ledger.md for how to keep one\n';
  }
  const rows = optimisations.map(
    ({ optimisation, samples, caught, escaped, unstable, bound, on, missing, spared: { ms } }) => [
      optimisation,
      ...[samples, caught, escaped, unstable].map(String),
      percent(bound),
      durationText(ms),
      on ? (missing > 0 ? `on, ${missing} more to judge` : 'on') : 'off',
    ],
  );
  const headings = ['OPTIMISATION', 'SAMPLES', 'CAUGHT', 'ESCAPED', 'UNSTABLE', 'AT MOST', 'SPARED', 'STATE'];
  const told = escapes
    .slice(0, ESCAPES_SHOWN_MAX)
    .map(
      ({ runId, jobs, optimisations: by }) => `escaped ${by.join(', ')} in ${runId}: ${safeLine(jobs.join(', '))}\n`,
    );
  const unknown = spared.unmeasured === 0 ? '' : `, and ${plural(spared.unmeasured, 'job')} nobody has measured`;
  return [
    table(surroundings, headings, rows),
    `\n${plural(spared.plans, 'plan')} left out ${plural(spared.jobs, 'job')}: ${durationText(spared.ms)} of runners${unknown}.\n`,
    `${percent(rules.rate)} of the changes are sampled (${taken} of the newest plans, ${shed} more were shed); up to ${percent(rules.escapeRateMax)} may escape.\n`,
    ...(told.length === 0 ? [] : ['\n', ...told]),
  ].join('');
}
