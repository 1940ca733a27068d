import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { readOrMake } from '../access/private-file.ts';

/** Every service that takes identity tokens takes this one. */
export const ALGORITHM = 'RS256';
const MODULUS_BITS = 2_048;

/** No settings let a token live longer, whatever this process was started with: another may have signed, or this one before. */
const TOKEN_MS_MAX = 86_400_000;
/** Clocks of those who check tokens may be off by this. */
const CLOCK_SLACK_MS = 300_000;

const FILE = /^id-token-(\d{10,16})-(\d{10,16})\.pem$/;
/** With what lies beside it of a gateway that ended while it made the file. */
const FILE_OR_LEFT = /^id-token-(\d{10,16})-(\d{10,16})\.pem(?:\.[0-9a-f-]{36})?$/;

export interface SigningKey {
  readonly id: string;
  readonly key: KeyObject;
}

interface HeldKey extends SigningKey {
  readonly published: JWK;
}

/** When a key signs, in ms since the epoch: from `fromMs` on, and before `untilMs`. */
interface Term {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Keys that sign identity tokens, one for each period of time, in files that the gateways of an installation share. A file's name
 * says when its key signs, so that keys are known for what they are to gateways that were started with another period, and after
 * such gateways. Of those whose time it is, the one that began last signs. The key that follows is published before it signs, so
 * that whoever keeps the set for a while knows it; that of the past for as long as any token that it signed may hold.
 */
export class SigningKeys {
  readonly #directory: string;
  readonly #periodMs: number;
  readonly #nowMs: () => number;
  readonly #held = new Map<string, Promise<HeldKey>>();

  /**
   * @param periodMs how long each key signs that is made from now on
   * @param nowMs the time of day, which is what tokens are dated by
   */
  constructor(directory: string, periodMs: number, nowMs: () => number) {
    this.#directory = directory;
    this.#periodMs = periodMs;
    this.#nowMs = nowMs;
  }

  /** What signs now. @throws Error when its file is not a key of ours */
  async current(): Promise<SigningKey> {
    return this.#keyOf((await this.#currentAndNext())[0]);
  }

  /** The public halves of all keys whose tokens may hold, or soon will, by the time from which they sign. */
  async published(): Promise<JWK[]> {
    const first = this.#nowMs() - TOKEN_MS_MAX - CLOCK_SLACK_MS;
    const needed = await this.#currentAndNext();
    const terms = [...(await this.#kept()), ...needed].filter(({ untilMs }) => untilMs > first);
    const byName = new Map(terms.map((term) => [nameOf(term), term]));
    const inOrder = [...byName.values()].sort((one, other) => one.fromMs - other.fromMs || one.untilMs - other.untilMs);
    const keys = await Promise.all(inOrder.map(async (term) => this.#keyOf(term)));
    return keys.map(({ published }) => published);
  }

  /**
   * Removes the files of keys whose last token is over, those of gateways that ended while they made one with them; any number of gateways
   * may. A gateway whose clock is behind publishes none of them any more. Answers how many files.
   */
  async removePast(): Promise<number> {
    const first = this.#nowMs() - TOKEN_MS_MAX - 2 * CLOCK_SLACK_MS;
    const isPast = (name: string): boolean => (termOf(name, FILE_OR_LEFT)?.untilMs ?? Infinity) <= first;
    for (const name of this.#held.keys()) if (isPast(name)) this.#held.delete(name);
    const past = (await this.#names()).filter(isPast);
    for (const name of past) await rm(join(this.#directory, name), { force: true });
    return past.length;
  }

  /** What signs now, and what will when that ends or the next period begins. */
  async #currentAndNext(): Promise<readonly [Term, Term]> {
    const kept = await this.#kept();
    const nowMs = this.#nowMs();
    const current = signingAt(kept, nowMs) ?? this.#periodAt(nowMs);
    const changesMs = Math.min(current.untilMs, this.#periodAt(nowMs).untilMs);
    return [current, signingAt([...kept, this.#periodAt(changesMs)], changesMs) ?? this.#periodAt(changesMs)];
  }

  #periodAt(ms: number): Term {
    const fromMs = Math.floor(ms / this.#periodMs) * this.#periodMs;
    return { fromMs, untilMs: fromMs + this.#periodMs };
  }

  /** Of all keys that there are files of. */
  async #kept(): Promise<Term[]> {
    return (await this.#names()).flatMap((name) => termOf(name, FILE) ?? []);
  }

  async #names(): Promise<string[]> {
    return readdir(this.#directory).catch(noneWhenMissing);
  }

  async #keyOf(term: Term): Promise<HeldKey> {
    const name = nameOf(term);
    const held = this.#held.get(name) ?? readKey(join(this.#directory, name));
    this.#held.set(name, held);
    // A file that could not be read now may be read later.
    held.catch(() => this.#held.delete(name));
    return held;
  }
}

function termOf(name: string, pattern: RegExp): Term | null {
  const [, from, until] = pattern.exec(name) ?? [];
  return from === undefined ? null : { fromMs: Number(from), untilMs: Number(until) };
}

const nameOf = ({ fromMs, untilMs }: Term): string => `id-token-${fromMs}-${untilMs}.pem`;

/** The term that began last of those that hold at this time; undefined when none does. */
function signingAt(terms: readonly Term[], ms: number): Term | undefined {
  return terms
    .filter(({ fromMs, untilMs }) => fromMs <= ms && ms < untilMs)
    .toSorted((one, other) => other.fromMs - one.fromMs || one.untilMs - other.untilMs)[0];
}

function noneWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
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
