import * as crypto from 'node:crypto';
import { actingHost } from '../engine/engine.ts';
import { engine, world } from '../engine/present.ts';
import type { Random } from '../engine/random.ts';

/** Stands in for `node:crypto` where production code imports it: hashes are real, chance comes from the seed. */

export const { createHash, createHmac, hash, pbkdf2Sync, timingSafeEqual } = crypto;
/** Ed25519 needs no chance to sign. */
export const { createPrivateKey, createPublicKey, sign, verify } = crypto;

/** Whatever is drawn with 256 bits is a capability. */
const SECRET_BYTES = 32;

const random = (): Random => actingHost()?.random ?? engine().random(`world ${engine().steps}`);

/** Keys of RSA are drawn by OpenSSL, out of reach of the seed: in this world nobody issues identity tokens. */
export function generateKeyPair(): never {
  throw new Error('a key pair was asked for in the simulated world, where chance comes from the seed alone');
}

export function randomBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  random().fill(bytes);
  if (size === SECRET_BYTES) world().learnSecret(bytes.toString('hex'));
  return bytes;
}

export function randomFillSync<T extends Uint8Array>(bytes: T): T {
  random().fill(bytes);
  return bytes;
}

export function randomUUID(): string {
  const hex = randomBytes(16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
