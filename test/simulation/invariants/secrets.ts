import { FORGE_TOKEN, REGISTRATION_TOKEN, WEBHOOK_SECRET } from '../world/settings.ts';
import type { Tally } from './tally.ts';

const DIGITS = 64;
const FIXED = [FORGE_TOKEN, REGISTRATION_TOKEN, WEBHOOK_SECRET, 'delta-runner-1.'];

/** 12: lease ids and tokens stay where they belong. */
export class Secrets {
  readonly #tally: Tally;
  readonly #leaseIds = new Set<string>();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** A runner was told this lease id. */
  learn(leaseId: string): void {
    this.#leaseIds.add(leaseId);
  }

  look(where: string, text: string): void {
    const told = longHexIn(text).some((hex) => this.#leaseIds.has(hex));
    const fixed = FIXED.find((secret) => text.includes(secret));
    this.#tally.check('12 no secrets', !told && fixed === undefined, () => `${fixed ?? 'a lease id'} is in ${where}`);
  }
}

/** Every 64 hexadecimal digits in a row. Whoever looks at each 64th character cannot miss the middle of such a row. */
export function longHexIn(text: string): string[] {
  const found: string[] = [];
  for (let at = DIGITS - 1; at < text.length; at += DIGITS) {
    if (!isHex(text, at)) continue;
    let from = at;
    while (isHex(text, from - 1)) from -= 1;
    let end = at + 1;
    while (isHex(text, end)) end += 1;
    for (; end - from >= DIGITS; from += DIGITS) found.push(text.slice(from, from + DIGITS));
    at = Math.max(at, end - 1);
  }
  return found;
}

function isHex(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
}
