import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Checkpoint } from '@delta-ci/contracts';
import { loadTrustedKeys, readSigningKey, TrustedKeys } from './checkpoint-keys.ts';

const freshKey = () =>
  generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });

const CLAIM = {
  position: 22,
  hash: 'a'.repeat(64),
  unfinished: `sha256:${'b'.repeat(64)}`,
  time: '2026-11-20T10:00:00.000Z',
};

describe('keys of checkpoints', () => {
  it('sign what their public half finds valid, and nothing near it', () => {
    const { privateKey, publicKey } = freshKey();
    const checkpoint = readSigningKey(privateKey).sign(CLAIM);
    const trusted = new TrustedKeys([publicKey]);
    const forged: Checkpoint[] = [
      { ...checkpoint, position: 23 },
      { ...checkpoint, hash: 'c'.repeat(64) },
      { ...checkpoint, unfinished: `sha256:${'c'.repeat(64)}` },
      { ...checkpoint, time: '2026-11-20T10:00:00.001Z' },
      { ...checkpoint, signature: `${'A'.repeat(86)}==` },
    ];
    expect(trusted.judge(checkpoint)).toBe('valid');
    expect(forged.map((one) => trusted.judge(one))).toEqual(forged.map(() => 'invalid'));
  });

  it('count only while they are trusted, and old ones beside new ones', () => {
    const [before, after] = [freshKey(), freshKey()];
    const checkpoint = readSigningKey(before.privateKey).sign(CLAIM);
    expect(new TrustedKeys([after.publicKey]).judge(checkpoint)).toBe('untrusted-key');
    expect(new TrustedKeys([after.publicKey, before.publicKey]).judge(checkpoint)).toBe('valid');
    // Under another's name a signature is worth nothing.
    const { keyId } = readSigningKey(after.privateKey);
    expect(new TrustedKeys([after.publicKey]).judge({ ...checkpoint, keyId })).toBe('invalid');
  });

  it('of another kind, or no keys at all, are refused without being repeated', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    for (const text of [rsa.toString(), 'not-a-secret-at-all', freshKey().publicKey]) {
      expect(() => readSigningKey(text)).toThrow('expected an Ed25519 private key in PEM');
    }
    expect(() => new TrustedKeys(['not-a-key'])).toThrow('expected an Ed25519 public key in PEM');
  });
});

describe('a directory of trusted keys', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-keys-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is read whole, whatever else lies in it', async () => {
    const keys = [freshKey(), freshKey()];
    for (const [index, { publicKey }] of keys.entries()) await writeFile(join(directory, `${index}.pem`), publicKey);
    await writeFile(join(directory, 'README'), 'who holds these keys');
    const ids = keys.map(({ privateKey }) => readSigningKey(privateKey).keyId);
    expect((await loadTrustedKeys(directory)).ids).toEqual(ids);
  });

  it('without a key, or with one that should not be there, is refused by name', async () => {
    await expect(loadTrustedKeys(directory)).rejects.toThrow(/holds no public key/);
    await writeFile(join(directory, 'mine.pem'), freshKey().privateKey);
    await expect(loadTrustedKeys(directory)).rejects.toThrow(/mine\.pem: this is a private key/);
  });
});
