import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSigningKey } from '@delta-ci/event-log';

/**
 * Sees to it that there is a key to sign checkpoints with, readable by its owner alone, and that its public half is among
 * the trusted ones. A key that is there already stays; one that was put in its place is trusted beside the one before.
 */
export function prepareCheckpointKey(keyFile: string, trustedDirectory: string): void {
  if (!existsSync(keyFile)) {
    mkdirSync(dirname(keyFile), { recursive: true });
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  const { keyId, publicKey } = readSigningKey(readFileSync(keyFile, 'utf8'));
  mkdirSync(trustedDirectory, { recursive: true });
  writeFileSync(join(trustedDirectory, `${keyId}.pem`), publicKey);
}
