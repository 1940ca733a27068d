import type { RunId } from '@delta-ci/contracts';
import type { RunBundle, TrustedKeys } from '@delta-ci/event-log';
import { EXIT, Problem } from '../problem.ts';
import type { OpenedLog } from './audit-source.ts';

/**
 * What proves a run.
 * @throws Problem when there is no such run, or no checkpoint covers it yet
 */
export async function collectBundle(
  { source, eventLog, through }: OpenedLog,
  runId: RunId,
  keys: TrustedKeys,
): Promise<RunBundle> {
  const collected = await eventLog.collectRunBundle(source, runId, keys);
  if (collected.kind === 'collected') return collected.bundle;
  if (collected.kind === 'no-such-run') throw new Problem('not_found', `${through} has no record of ${runId}`);
  throw new Problem('not_signed_yet', `no checkpoint of a trusted key covers the record at ${collected.position} yet`, {
    exitCode: EXIT.notJudged,
    next: 'checkpoints are signed every minute: try again then, or see which there are: delta audit checkpoints',
  });
}
