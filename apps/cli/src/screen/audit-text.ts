import type { AuditFinding } from '@delta-ci/contracts';
import type { BundleVerdict } from '@delta-ci/event-log';
import type { Surroundings } from '../surroundings.ts';
import { safeLine } from './safe-text.ts';
import { table } from './table.ts';
import { plural } from './words.ts';

/** `at 7: the hash is not that of the text`, or `from 12 to 23: ...` where nobody can say more exactly. */
export function findingText({ position, upTo, problem }: AuditFinding): string {
  const where = upTo === position ? `at ${position}` : `somewhere from ${position} to ${upTo}`;
  return `${where}: ${safeLine(problem)}`;
}

const NO_END =
  'not judged as a whole: the end of the run is not among them. It is still under way, or whoever made this left it out; ask again when the run is over';

/** What a bundle proves, record by record, or what it fails at. */
export function verdictText(surroundings: Surroundings, runId: string, verdict: BundleVerdict): string {
  const { paint } = surroundings;
  const { finding, records, ended, checkpoints } = verdict;
  if (finding !== null) return `${paint.red('not as recorded')} ${runId} ${findingText(finding)}\n`;
  const signed = checkpoints.map(({ position, time, keyId }) => `signed at ${position} on ${time} with ${keyId}`);
  const rows = records.map(({ position, time, type }) => [String(position), time, type]);
  const head = `${paint.green('as recorded')} ${runId}, ${plural(records.length, 'record')}`;
  const end = ended ? '' : `${paint.yellow(NO_END)}\n`;
  return `${head}\n${end}${signed.join('\n')}\n\n${table(surroundings, ['POSITION', 'TIME', 'RECORD'], rows)}`;
}
