import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson, type AuditRecord, type Checkpoint, type LogHead } from '@delta-ci/contracts';
import { FIRST_PREV_HASH } from '@delta-ci/domain';
import { chainHash } from '../append/hash-chain.ts';
import { readSigningKey, TrustedKeys } from '../checkpoints/checkpoint-keys.ts';
import { LogVerifier } from './log-verifier.ts';

const KEY = readSigningKey(
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
);
const START: LogHead = { position: 0, hash: FIRST_PREV_HASH };

/** The record after `before`: what the verifier looks at, and nothing else. */
function recordAfter(before: LogHead, type = 'runner.retired', data: object = {}): AuditRecord {
  const position = before.position + 1;
  const stream = `${type}-${position}`;
  const columns = { id: String(position), stream, version: 1, type, schemaVersion: 1, time: '', correlation: null };
  const canonical = canonicalJson({ ...columns, position, data: { ...data } });
  return { position, canonical, prevHash: before.hash, hash: chainHash(before.hash, canonical), columns };
}

const signed = ({ position, hash }: LogHead): Checkpoint =>
  KEY.sign({ position, hash, unfinished: `sha256:${'0'.repeat(64)}`, time: '2026-01-01T00:00:00.000Z' });

describe('a checkpoint whose signer stood still while the log grew', () => {
  it('fits when it was met before at its position, and cannot be compared otherwise', () => {
    const verifier = new LogVerifier(START, new TrustedKeys([KEY.publicKey]));
    const take = (...more: [string?, object?]) => verifier.take(recordAfter(verifier.before, ...more));
    const [met, unmet] = [1, 2].map(() => {
      expect(take()).toBeNull();
      return signed(verifier.before);
    });
    if (met === undefined || unmet === undefined) throw new Error('two records were taken');
    expect(verifier.compare(met)).toBeNull();
    // More than it remembers the hashes of.
    const findings = Array.from({ length: 65_600 }, () => take()).filter((finding) => finding !== null);
    expect(findings).toEqual([]);
    expect(take('checkpoint.signed', met)).toBeNull();
    expect(verifier.checkpoints).toBe(1);
    expect(take('checkpoint.signed', unmet)?.problem).toContain('comes too late to be compared');
  });
});
