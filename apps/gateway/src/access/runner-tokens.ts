import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { EpochMs, PoolName, RunnerId } from '@delta-ci/contracts';
import { z } from 'zod';
import type { RunnerCaller } from './caller.ts';
import { readOrMake } from './private-file.ts';

const Claims = z.strictObject({
  runner: RunnerId,
  pool: PoolName,
  environment: z.string(),
  registeredAtMs: EpochMs,
  expiresAtMs: EpochMs,
});

/** First part of every token: says what it is, to people and to secret scanners. */
const PREFIX = 'delta-runner-1';

/** No token of ours is longer; whatever is gets no look. */
const TOKEN_LENGTH_MAX = 1_000;

/** Tokens known to hold: one for each runner at work, and some that were renewed meanwhile. */
const PROVEN_MAX = 20_000;

interface Proven {
  readonly caller: RunnerCaller;
  readonly expiresAtMs: number;
}

/**
 * A token may be renewed for this long after registration. Runners are disposable: one that lives longer registers anew,
 * so a stolen token dies even if the thief renews it.
 */
export const RENEWABLE_MS = 7 * 86_400_000;

export interface RunnerTokensOptions {
  readonly key: Uint8Array;
  readonly environment: string;
  readonly ttlMs: number;
  readonly nowMs: () => number;
}

export interface IssuedToken {
  readonly token: string;
  readonly tokenExpiresAtMs: number;
}

/**
 * Short-lived tokens of runners: claims and their HMAC-SHA-256. Nothing is stored, so any gateway with the key can
 * check them.
 */
export class RunnerTokens {
  readonly #options: RunnerTokensOptions;
  /**
   * What has been checked once: a runner sends the same token with every request. Found by the token's digest, so how
   * long a look takes says nothing about any token.
   */
  readonly #proven = new Map<string, Proven>();

  constructor(options: RunnerTokensOptions) {
    this.#options = options;
  }

  /** A token for a runner that has just proven the registration token. */
  issue(runnerId: RunnerId, pool: string): IssuedToken {
    return this.#sign({ kind: 'runner', runnerId, pool, registeredAtMs: this.#options.nowMs() });
  }

  /** A fresh token for a runner whose token holds; null when it has to register anew. */
  renew(caller: RunnerCaller): IssuedToken | null {
    const ageMs = this.#options.nowMs() - caller.registeredAtMs;
    return ageMs > RENEWABLE_MS ? null : this.#sign(caller);
  }

  /** The runner a token speaks for; null when it is not ours, was changed, or has run out. */
  callerOf(token: string): RunnerCaller | null {
    if (token.length > TOKEN_LENGTH_MAX) return null;
    const proven = this.#proofOf(token);
    return proven !== null && proven.expiresAtMs > this.#options.nowMs() ? proven.caller : null;
  }

  #proofOf(token: string): Proven | null {
    const digest = hash('sha256', token);
    const known = this.#proven.get(digest);
    if (known !== undefined) return known;
    const proven = this.#prove(token);
    if (proven === null) return null;
    if (this.#proven.size >= PROVEN_MAX) this.#proven.clear();
    this.#proven.set(digest, proven);
    return proven;
  }

  #prove(token: string): Proven | null {
    const [prefix, body = '', mac = '', ...rest] = token.split('.');
    if (prefix !== PREFIX || rest.length > 0 || !this.#isSigned(body, mac)) return null;
    // Signed by us, so parsing is a formality; the environment is checked all the same, because keys get copied.
    const claims = Claims.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')));
    if (claims.environment !== this.#options.environment) return null;
    const { runner: runnerId, pool, registeredAtMs, expiresAtMs } = claims;
    return { caller: { kind: 'runner', runnerId, pool, registeredAtMs }, expiresAtMs };
  }

  #sign({ runnerId, pool, registeredAtMs }: RunnerCaller): IssuedToken {
    const { environment, ttlMs, nowMs } = this.#options;
    const expiresAtMs = nowMs() + ttlMs;
    const claims: z.infer<typeof Claims> = { runner: runnerId, pool, environment, registeredAtMs, expiresAtMs };
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
    return { token: `${PREFIX}.${body}.${this.#mac(body).toString('base64url')}`, tokenExpiresAtMs: expiresAtMs };
  }

  #isSigned(body: string, mac: string): boolean {
    const expected = this.#mac(body);
    const given = Buffer.from(mac, 'base64url');
    // One text per token: base64 that decodes to the same bytes in another spelling is not it.
    return given.length === expected.length && timingSafeEqual(given, expected) && given.toString('base64url') === mac;
  }

  #mac(body: string): Buffer {
    return createHmac('sha256', this.#options.key).update(`${PREFIX}.${body}`).digest();
  }
}

const KEY_BYTES = 32;

/** The signing key of this installation, made at the first start. @throws when the file is not a key of ours */
export async function readSigningKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, 'runner-token.key');
  const { text } = await readOrMake(path, () => randomBytes(KEY_BYTES).toString('hex'));
  const key = Buffer.from(text, 'hex');
  if (key.length !== KEY_BYTES) throw new Error(`${path}: expected ${KEY_BYTES * 2} hexadecimal digits`);
  return key;
}
