import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServedRepository } from '@delta-ci/forge';

/** A forge as an installation has to know it. */
export interface ForgeFacts {
  readonly apiUrl: string;
  readonly secrets: {
    readonly webhook: string;
    /** Null: nothing is ever said to the forge. */
    readonly token: string | null;
  };
  readonly repositories: readonly ServedRepository[];
}

/**
 * Writes settings of one forge called `github`, its secrets in files of their own beside them, as an operator would.
 * @param directory made when it is not there
 * @returns the file with the settings
 */
export function writeForgeSettings(directory: string, { apiUrl, secrets, repositories }: ForgeFacts): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const secretIn = (name: string, value: string): { file: string } => {
    writeFileSync(join(directory, name), `${value}\n`, { mode: 0o600 });
    return { file: name };
  };
  const forge = {
    kind: 'github',
    name: 'github',
    apiUrl,
    webhookSecret: secretIn('webhook-secret', secrets.webhook),
    ...(secrets.token === null ? {} : { token: secretIn('token-secret', secrets.token) }),
    cloneProtocols: ['https', 'http'],
    allowPrivateAddresses: true,
    repositories,
  };
  const file = join(directory, 'forges.json');
  writeFileSync(file, JSON.stringify({ forges: [forge] }, null, 2));
  return file;
}
