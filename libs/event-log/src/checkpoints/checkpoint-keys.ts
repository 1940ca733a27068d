import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointText, type Checkpoint, type CheckpointClaim, type KeyId } from '@delta-ci/contracts';

/** A private key that signs checkpoints, and attestations. What it signs names its id; the key itself does not leave this object. */
export interface SigningKey {
  readonly keyId: KeyId;
  /** SPKI in PEM: what verifiers keep. */
  readonly publicKey: string;
  sign(claim: Omit<CheckpointClaim, 'keyId'>): Checkpoint;
  /** @returns the signature in base64; whoever calls sees to it that the bytes are never those of a checkpoint's text */
  signBytes(bytes: Uint8Array): string;
}

/** @throws a sentence that never repeats the text, when it is not the PEM of an Ed25519 private key */
export function readSigningKey(pem: string): SigningKey {
  const key = parseKey(() => createPrivateKey(pem), 'an Ed25519 private key');
  const publicKey = createPublicKey(key);
  const keyId = keyIdOf(publicKey);
  const signBytes = (bytes: Uint8Array): string => sign(null, bytes, key).toString('base64');
  return {
    keyId,
    publicKey: pemOf(publicKey),
    signBytes,
    sign(facts) {
      const claim = { ...facts, keyId };
      return { ...claim, signature: signBytes(Buffer.from(checkpointText(claim))) };
    },
  };
}

/** What a signature is worth to somebody who trusts certain keys. */
export type SignatureVerdict = 'valid' | 'untrusted-key' | 'invalid';

/** Public keys whose checkpoints count. Keys that no longer sign stay among them: what they signed stays signed. */
export class TrustedKeys {
  readonly #keys: ReadonlyMap<KeyId, KeyObject>;

  /** @throws a sentence when one of them is not the PEM of an Ed25519 public key */
  constructor(pems: readonly string[]) {
    const keys = pems.map(publicKeyOf);
    this.#keys = new Map(keys.map((key) => [keyIdOf(key), key]));
  }

  get ids(): readonly KeyId[] {
    return [...this.#keys.keys()];
  }

  /** The key in PEM; null when it is not trusted. */
  pem(keyId: KeyId): string | null {
    const key = this.#keys.get(keyId);
    return key === undefined ? null : pemOf(key);
  }

  judge(checkpoint: Checkpoint): SignatureVerdict {
    return this.judgeBytes(checkpoint.keyId, Buffer.from(checkpointText(checkpoint)), checkpoint.signature);
  }

  /** @param signature in base64 */
  judgeBytes(keyId: KeyId, bytes: Uint8Array, signature: string): SignatureVerdict {
    const key = this.#keys.get(keyId);
    if (key === undefined) return 'untrusted-key';
    return verify(null, bytes, key, Buffer.from(signature, 'base64')) ? 'valid' : 'invalid';
  }
}

/**
 * Every `*.pem` of a directory.
 * @throws the filesystem's error, or a sentence when there is none or a file is no public key
 */
export async function loadTrustedKeys(directory: string): Promise<TrustedKeys> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.pem')).sort();
  if (names.length === 0) throw new Error(`${directory} holds no public key (*.pem)`);
  return new TrustedKeys(await Promise.all(names.map(async (name) => readPublicKey(join(directory, name)))));
}

async function readPublicKey(path: string): Promise<string> {
  const pem = await readFile(path, 'utf8');
  try {
    publicKeyOf(pem);
    return pem;
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : 'is no public key'}`, { cause: error });
  }
}

function publicKeyOf(pem: string): KeyObject {
  // Node would derive the public key of a private one. That file must not lie where verifiers read.
  if (pem.includes('PRIVATE KEY')) throw new Error('this is a private key: who verifies needs the public one');
  return parseKey(() => createPublicKey(pem), 'an Ed25519 public key');
}

function parseKey(parse: () => KeyObject, what: string): KeyObject {
  let key: KeyObject | null;
  try {
    key = parse();
  } catch {
    // The parser's own words may hold parts of the text.
    key = null;
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw new Error(`expected ${what} in PEM`);
  return key;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

function keyIdOf(key: KeyObject): KeyId {
  return hash('sha256', key.export({ type: 'spki', format: 'der' })).slice(0, 32);
}
