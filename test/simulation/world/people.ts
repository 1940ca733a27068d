import { pullRequestDelivery, pushDelivery } from '../../support/fake-forge/webhook-deliveries.ts';
import type { Engine } from '../engine/engine.ts';
import type { Random } from '../engine/random.ts';
import type { Delivery, SimulatedForge } from './simulated-forge.ts';
import { GATEWAY_URL, REPOSITORIES } from './settings.ts';

/** What people do: push, open and update pull requests, ask for runs, cancel and run again. */
export class People {
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #forge: SimulatedForge;
  readonly #fetch: typeof fetch;
  readonly #runs: () => readonly string[];
  readonly #onAccepted: (runId: string) => void;
  #acts = 0;

  constructor(
    engine: Engine,
    forge: SimulatedForge,
    fetchAs: typeof fetch,
    known: { readonly runs: () => readonly string[]; readonly onAccepted: (runId: string) => void },
  ) {
    this.#engine = engine;
    this.#random = engine.random('people');
    this.#forge = forge;
    this.#fetch = fetchAs;
    this.#runs = known.runs;
    this.#onAccepted = known.onAccepted;
  }

  /** Something that somebody might do now. */
  act(): void {
    this.#acts += 1;
    const dice = this.#random.unit();
    if (dice < 0.35) this.#forge.deliver(this.#push());
    else if (dice < 0.6) this.#forge.deliver(this.#pullRequest());
    else if (dice < 0.7) this.#askFor('/api/v1/runs', this.#manualRun());
    else if (dice < 0.88) this.#toRun('cancel', { reason: 'not needed any more' });
    else this.#toRun('rerun', { only: this.#random.pick(['all', 'failed']) });
  }

  #push(): Delivery {
    const fullName = this.#random.pick(REPOSITORIES);
    const commit = { ref: 'refs/heads/main', before: this.#sha(), after: this.#sha(), message: `change ${this.#acts}` };
    const delivery = pushDelivery(fullName, cloneUrl(fullName), { ...commit, tree: this.#sha() } as never);
    return { ...delivery, id: this.#name('push') };
  }

  #pullRequest(): Delivery {
    const fullName = this.#random.pick(REPOSITORIES);
    const number = this.#random.between(1, 3);
    const delivery = pullRequestDelivery(fullName, cloneUrl(fullName), {
      number,
      action: this.#random.pick(['opened', 'synchronize', 'reopened']),
      title: `pull request ${number}`,
      head: { sha: this.#sha(), ref: `topic-${number}`, fullName },
      base: { sha: this.#sha(), ref: 'main' },
      association: 'MEMBER',
      sender: 'octocat',
    });
    return { ...delivery, id: this.#name('pull') };
  }

  #manualRun(): object {
    const repository = `github/${this.#random.pick(REPOSITORIES)}`;
    return { repository, ref: 'refs/heads/main', head: this.#sha(), base: this.#sha(), title: 'by hand' };
  }

  #toRun(what: string, body: object): void {
    const runs = this.#runs();
    if (runs.length > 0) this.#askFor(`/api/v1/runs/${this.#random.pick(runs)}/${what}`, body);
  }

  /** With one key for all tries: somebody who gets no answer asks again. */
  #askFor(path: string, body: object): void {
    void this.#ask(path, body, this.#name('key'), 1);
  }

  async #ask(path: string, body: object, key: string, tries: number): Promise<void> {
    const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(15_000) };
    const response = await this.#fetch(GATEWAY_URL + path, init).catch(() => null);
    if (response?.ok === true) return this.#onAccepted(((await response.json()) as { runId: string }).runId);
    if (tries >= 8 || (response !== null && response.status < 500)) return;
    this.#engine.after(3_000, null, `asks again ${key}`, () => void this.#ask(path, body, key, tries + 1));
  }

  #name(what: string): string {
    return `${what}-${this.#engine.seed}-${this.#acts}`;
  }

  #sha(): string {
    return Array.from({ length: 40 }, () => this.#random.between(0, 15).toString(16)).join('');
  }
}

const cloneUrl = (fullName: string): string => `https://forge.test/${fullName}.git`;
