import { readFile, stat } from 'node:fs/promises';
import { readSigningKey, type SigningKey } from '@delta-ci/event-log';
import { Secret, type Service } from '@delta-ci/service';
import type { OrchestratorConfig } from '../config.ts';

/** The key that signs checkpoints, from where the configuration says. What is logged of it is public. */
export async function openSigningKey(service: Service<OrchestratorConfig>): Promise<SigningKey> {
  const { config, logger } = service;
  const pem = config.checkpointKey?.reveal() ?? (await pemIn(service, config.checkpointKeyFile ?? ''));
  // Line by line: whoever quotes the key somewhere quotes one of these, whatever stands between them.
  for (const line of pem.split('\n')) if (!line.startsWith('-----')) service.hide(new Secret(line.trim()));
  const key = readSigningKey(pem);
  logger.info({ event: 'checkpoint-key', keyId: key.keyId, publicKey: key.publicKey }, 'checkpoints are signed');
  return key;
}

const READABLE_BY_EVERYBODY = 0o004;

async function pemIn({ logger }: Service, path: string): Promise<string> {
  const { mode } = await stat(path);
  if ((mode & READABLE_BY_EVERYBODY) !== 0) {
    logger.warn(
      { event: 'checkpoint-key-exposed', path },
      'everybody on this host can read the signing key: chmod 600',
    );
  }
  return readFile(path, 'utf8');
}
