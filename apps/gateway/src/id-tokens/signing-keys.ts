import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { readOrMake } from '../access/private-file.ts';

/** Every service that takes identity tokens takes this one. */
export const ALGORITHM = 'RS256';
const MODULUS_BITS = 2_048;

/** Clocks of those who check tokens may be off by this. */
const CLOCK_SLACK_MS = 300_000;

const FILE = /^id-token-(\d{1,9})\.pem$/;

export interface KeyTimes {
  /** How long each key signs. */
  readonly periodMs: number;
  /** No token lives longer. */
  readonly tokenMsMax: number;
}

export interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

interface HeldKey extends SigningKey {
  readonly published: JWK;
}

/**
 * Keys that sign identity tokens, one for each period of time, in files that the gateways of an installation share. The key of
 * the next period is published before it signs, so that whoever keeps the set for a while knows it; that of a past one for as
 * long as a token that it signed may hold. The files of older ones are removed when a gateway starts.
 */
export class SigningKeys {
  readonly #directory: string;
  readonly #times: KeyTimes;
  readonly #nowMs: () => number;
  readonly #held = new Map<number, Promise<HeldKey>>();

  /** @param nowMs the time of day, which is what tokens are dated by */
  constructor(directory: string, times: KeyTimes, nowMs: () => number) {
    this.#directory = directory;
    this.#times = times;
    this.#nowMs = nowMs;
  }

  /** What signs now. @throws Error when its file is not a key of ours */
  async current(): Promise<SigningKey> {
    return this.#keyOf(this.#period());
  }

  /** The public halves of all keys whose tokens may hold, or soon will. */
  async published(): Promise<JWK[]> {
    const keys = await Promise.all(this.#livePeriods().map(async (period) => this.#keyOf(period)));
    return keys.map(({ published }) => published);
  }

  /** Removes the files of keys whose last token is over. */
  async removePast(): Promise<void> {
    const first = Math.min(...this.#livePeriods());
    for (const name of await readdir(this.#directory)) {
      const period = FILE.exec(name)?.[1];
      if (period !== undefined && Number(period) < first) await rm(join(this.#directory, name), { force: true });
    }
    for (const period of this.#held.keys()) if (period < first) this.#held.delete(period);
  }

  #period(): number {
    return Math.floor(this.#nowMs() / this.#times.periodMs);
  }

  #livePeriods(): number[] {
    const { periodMs, tokenMsMax } = this.#times;
    const period = this.#period();
    const since = Math.floor((this.#nowMs() - tokenMsMax - CLOCK_SLACK_MS) / periodMs);
    return Array.from({ length: period + 2 - since }, (_, index) => since + index).filter((one) => one >= 0);
  }

  async #keyOf(period: number): Promise<HeldKey> {
    const held = this.#held.get(period) ?? readKey(join(this.#directory, `id-token-${period}.pem`));
    this.#held.set(period, held);
    // A file that could not be read now may be read later.
    held.catch(() => this.#held.delete(period));
    return held;
  }
}

async function readKey(path: string): Promise<HeldKey> {
  const fresh = await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS });
  const { text } = await readOrMake(path, () => fresh.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const key = parseKey(text, path);
  const { kty, n, e } = await exportJWK(key);
  const bare = { kty, n, e } as JWK;
  const id = await calculateJwkThumbprint(bare);
  return { id, key, published: { ...bare, kid: id, alg: ALGORITHM, use: 'sig' } };
}

/** @throws a sentence that never repeats the text */
function parseKey(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Falls through: what the parser says may quote the text.
  }
  throw new Error(`${path}: expected the PEM of an RSA private key`);
}
