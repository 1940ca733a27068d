import type { AuditCheckpoint } from '@delta-ci/contracts';
import { gatewayFor } from '../api/gateway.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { table } from '../screen/table.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface CheckpointsOptions extends ApiOptions {
  readonly after?: number;
  readonly limit: number;
}

/** `delta audit checkpoints`: which there are, and where. With `--json`, something to keep. */
export async function auditCheckpoints(surroundings: Surroundings, options: CheckpointsOptions): Promise<ExitCode> {
  const { after, limit, json } = options;
  const page = await (await gatewayFor(surroundings, options)).auditCheckpoints({ after, limit });
  if (json === true) printJson(surroundings, page);
  else if (page.checkpoints.length === 0) surroundings.out('no checkpoints\n');
  else {
    const rows = page.checkpoints.map((one) => [String(one.position), one.time, one.keyId, placeOf(one), one.hash]);
    surroundings.out(table(surroundings, ['POSITION', 'TIME', 'KEY', 'WHERE', 'HASH'], rows));
    const last = page.checkpoints.at(-1)?.position ?? 0;
    if (page.checkpoints.length >= limit) surroundings.out(`\nmore: delta audit checkpoints --after ${last}\n`);
  }
  return EXIT.succeeded;
}

function placeOf({ inLog, inStore }: AuditCheckpoint): string {
  if (inLog && inStore) return 'log, store';
  return inLog ? 'log' : 'store alone';
}
