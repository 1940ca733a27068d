import type { CheckContent, ForgeAnswer, KnownCheck } from '@delta-ci/forge';
import type { ChecksClient } from './forge-desk.ts';

/** A forge in memory, of which single calls go unanswered and are carried out when the test says so. */
export class MadeUpForge implements ChecksClient {
  readonly checks: KnownCheck[] = [];
  /** How many changes to come are not answered, and wait for `carryOut`. */
  unansweredNext = 0;
  readonly #late: (() => KnownCheck)[] = [];

  async list(): Promise<ForgeAnswer<KnownCheck[]>> {
    return { ok: true, value: [...this.checks] };
  }

  async create(_fullName: string, content: CheckContent): Promise<ForgeAnswer<string>> {
    return this.#answer(() => {
      const check = shown(String(this.checks.length + 1), content);
      this.checks.push(check);
      return check;
    });
  }

  async update(_fullName: string, id: string, content: CheckContent): Promise<ForgeAnswer<string>> {
    return this.#answer(() => {
      const check = shown(id, content);
      this.checks[this.checks.findIndex((one) => one.id === id)] = check;
      return check;
    });
  }

  /** Carries out what was given up. */
  carryOut(): void {
    for (const act of this.#late.splice(0)) act();
  }

  shows(): string[] {
    return this.checks.map(({ status, conclusion }) => `${status} ${conclusion}`);
  }

  #answer(act: () => KnownCheck): ForgeAnswer<string> {
    if (this.unansweredNext === 0) return { ok: true, value: act().id };
    this.unansweredNext -= 1;
    this.#late.push(act);
    return { ok: false, failure: { kind: 'unavailable', message: 'no answer in time' } };
  }
}

const shown = (id: string, { externalId, status, conclusion, title, summary }: CheckContent): KnownCheck => ({
  id,
  externalId,
  status: conclusion === null ? status : 'completed',
  conclusion,
  title,
  summary,
});
