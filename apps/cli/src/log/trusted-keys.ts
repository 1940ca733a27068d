import { join, resolve } from 'node:path';
import type { TrustedKeys } from '@delta-ci/event-log';
import { errorMessage } from '../error-code.ts';
import { EXIT, Problem } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import { variable, type Surroundings } from '../surroundings.ts';
import { directoryAbove } from './mesh-of-checkout.ts';
import type { EventLog } from './with-log.ts';

export interface KeyOptions {
  /** A folder of public keys. */
  readonly keys?: string;
}

/** Where a mesh started by `npm start` leaves the public keys of its checkpoints. */
const MESH_KEYS = join('.delta', 'checkpoint-keys');

/**
 * The keys whose checkpoints count: of the folder that is named, otherwise of a mesh in a folder above.
 * @throws Problem when there are none: without trusted keys nothing can be verified
 */
export async function trustedKeys(
  surroundings: Surroundings,
  { keys }: KeyOptions,
  { loadTrustedKeys }: EventLog,
): Promise<TrustedKeys> {
  const named = keys ?? variable(surroundings, 'DELTA_CHECKPOINT_KEYS_DIR');
  const directory =
    named === null ? await directoryAbove(surroundings, MESH_KEYS) : resolve(surroundings.directory, named);
  if (directory === null) throw noKeys('no keys to trust: nothing says who may sign checkpoints');
  try {
    return await loadTrustedKeys(directory);
  } catch (error) {
    throw noKeys(safeText(errorMessage(error)));
  }
}

const noKeys = (message: string): Problem =>
  new Problem('no_keys', message, {
    exitCode: EXIT.notJudged,
    next: 'name a folder with the public keys (*.pem) of the installation: --keys or DELTA_CHECKPOINT_KEYS_DIR',
  });
