import { FORGE_TOKEN, REGISTRATION_TOKEN, WEBHOOK_SECRET } from '../world/settings.ts';
import type { Tally } from './tally.ts';

const HEX64 = /[0-9a-f]{64}/g;
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
    const told = [...text.matchAll(HEX64)].some(([hex]) => this.#leaseIds.has(hex));
    const fixed = FIXED.find((secret) => text.includes(secret));
    this.#tally.check('12 no secrets', !told && fixed === undefined, () => `${fixed ?? 'a lease id'} is in ${where}`);
  }
}
