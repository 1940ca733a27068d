import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { KeyId } from '@delta-ci/contracts';
import type { RunBundle, TrustedKeys } from '@delta-ci/event-log';
import { errorCode, errorMessage } from '../error-code.ts';
import { trustedKeys, type KeyOptions } from '../log/trusted-keys.ts';
import type { EventLog } from '../log/with-log.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';
import { sayVerdict } from './audit-verify.ts';

export interface CheckOptions extends KeyOptions {
  /** Ids of keys that were learned by another way than the bundle, which brings the keys along. */
  readonly keyId?: readonly string[];
  readonly json?: boolean;
}

/** `delta audit check`: proves a run from a bundle alone. Asks nobody, and needs only keys to trust. */
export async function checkAudit(surroundings: Surroundings, file: string, options: CheckOptions): Promise<ExitCode> {
  const eventLog = await import('@delta-ci/event-log');
  const bundle = eventLog.parseBundle(await read(resolve(surroundings.directory, file)));
  if (typeof bundle === 'string') throw new Problem('not_a_bundle', `${file}: ${bundle}`, { exitCode: EXIT.failed });
  const keys =
    options.keyId === undefined
      ? await keysFor(surroundings, options, eventLog, bundle)
      : keysNamed(bundle, options.keyId, eventLog);
  return sayVerdict(surroundings, bundle.runId, eventLog.checkBundle(bundle, keys), options.json === true);
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new Problem('file_unreadable', `${path} cannot be read: ${errorCode(error) ?? errorMessage(error)}`);
  });
}

async function keysFor(
  surroundings: Surroundings,
  options: CheckOptions,
  eventLog: EventLog,
  { keys }: RunBundle,
): Promise<TrustedKeys> {
  return trustedKeys(surroundings, options, eventLog).catch((error: unknown) => {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, error.message, {
      exitCode: error.exitCode,
      next: `compare ${[...keys.keys()].join(', ')} with what the installation told you by another way, and give it as --key-id; or name a folder of public keys with --keys`,
    });
  });
}

/** The bundle's own keys, as far as their ids were named: an id is the digest of its key. */
function keysNamed({ keys }: RunBundle, ids: readonly string[], { TrustedKeys }: EventLog): TrustedKeys {
  const named = ids.map((id) => KeyId.parse(id));
  const pems = named.flatMap((id) => keys.get(id) ?? []);
  let trusted: TrustedKeys;
  try {
    trusted = new TrustedKeys(pems);
  } catch (error) {
    throw new Problem('not_a_bundle', `a key of the bundle: ${errorMessage(error)}`, { exitCode: EXIT.failed });
  }
  const impostor = trusted.ids.find((id) => !named.includes(id));
  if (impostor === undefined) return trusted;
  throw new Problem('not_a_bundle', `the bundle passes the key ${impostor} off as another`, { exitCode: EXIT.failed });
}
