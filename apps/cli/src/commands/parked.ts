import type { ParkedAction } from '@delta-ci/contracts';
import { gatewayFor } from '../api/gateway.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { ageText } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface ParkedListOptions extends ApiOptions {
  readonly from: number;
  readonly limit: number;
}

export interface SettleOptions extends ApiOptions {
  readonly reason: string;
}

/** `delta parked list` */
export async function listParked(surroundings: Surroundings, options: ParkedListOptions): Promise<ExitCode> {
  const { from, limit } = options;
  const page = await (await gatewayFor(surroundings, options)).listParked({ from, limit });
  if (options.json === true) {
    printJson(surroundings, page);
    return EXIT.succeeded;
  }
  const now = surroundings.nowMs();
  const rows = page.messages.map((message) => [
    String(message.sequence),
    ageText(Date.parse(message.parkedAt), now),
    `${message.stream}/${message.consumer}`,
    String(message.deliveries),
    message.subject,
    message.reason,
  ]);
  const headings = ['SEQUENCE', 'PARKED', 'CAME FROM', 'TRIES', 'SUBJECT', 'REASON'];
  surroundings.out(rows.length === 0 ? 'nothing is parked\n' : table(surroundings, headings, rows));
  if (page.nextSequence !== null) surroundings.out(`\nmore: delta parked list --from ${page.nextSequence}\n`);
  return EXIT.succeeded;
}

/** `delta parked retry` and `delta parked drop` */
export async function settleParked(
  surroundings: Surroundings,
  action: ParkedAction,
  sequence: number,
  options: SettleOptions,
): Promise<ExitCode> {
  const { reason } = options;
  const settled = await (await gatewayFor(surroundings, options)).settleParked(action, sequence, { reason });
  if (options.json === true) printJson(surroundings, settled);
  else surroundings.out(`${safeLine(DONE[action](settled.sequence))}\n`);
  return EXIT.succeeded;
}

const DONE: Readonly<Record<ParkedAction, (sequence: number) => string>> = {
  retry: (sequence) => `message ${sequence} is delivered again; if it fails again, it is parked under a new sequence`,
  drop: (sequence) => `message ${sequence} is forgotten`,
};
