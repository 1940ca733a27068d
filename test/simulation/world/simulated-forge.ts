import { createHmac } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import type { Random } from '../engine/random.ts';
import type { HttpAnswer, HttpRequest } from '../network/simulated-http.ts';
import { GATEWAY_URL, WEBHOOK_SECRET } from './settings.ts';

/** How the forge behaves at the moment. */
export interface ForgeWeather {
  /** Share of calls answered with an error of its own. */
  error: number;
  /** Share of calls told to come again later. */
  rateLimit: number;
  slowestMs: number;
  /** Share of calls that fail, undone, among those that show how something ended. */
  endsFail: number;
  /** Whether those that show an end are quick while the others are slow: the newest word overtakes the ones before. */
  endsFirst: boolean;
  /** Share of deliveries that are sent again although they were answered. */
  redeliver: number;
}

export const CALM_FORGE: Readonly<ForgeWeather> = {
  error: 0,
  rateLimit: 0,
  slowestMs: 50,
  endsFail: 0,
  endsFirst: false,
  redeliver: 0,
};

/** A check run as the forge shows it. */
export interface ShownCheck {
  readonly id: number;
  readonly headSha: string;
  readonly externalId: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly title: string;
  readonly summary: string;
}

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

/** Told what a delivery was answered. */
export type OnAnswered = (delivery: Delivery, runId: string | null) => void;

const TRIES_MAX = 30;
const RETRY_MS = 7_000;

/** The forge: shows checks, and sends webhooks until they are answered, sometimes again, in no particular order. */
export class SimulatedForge {
  readonly weather: ForgeWeather = { ...CALM_FORGE };
  readonly checks = new Map<number, ShownCheck>();
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #fetch: typeof fetch;
  readonly #onAnswered: OnAnswered;

  constructor(engine: Engine, fetchAs: typeof fetch, onAnswered: OnAnswered) {
    this.#engine = engine;
    this.#random = engine.random('forge');
    this.#fetch = fetchAs;
    this.#onAnswered = onAnswered;
  }

  /** Sends until it is answered. Gives up after some minutes, as forges do; a person then presses the button. */
  deliver(delivery: Delivery, tries = 1): void {
    const wait = this.#random.between(0, this.weather.slowestMs);
    this.#engine.after(wait, null, `webhook ${delivery.id}`, () => void this.#send(delivery, tries));
  }

  /** Answers calls to its API. */
  async handle({ method, path, body }: HttpRequest): Promise<HttpAnswer> {
    const { weather } = this;
    const showsEnd = Buffer.from(body).toString('utf8').includes('"status":"completed"');
    const slowestMs = showsEnd && weather.endsFirst ? CALM_FORGE.slowestMs : weather.slowestMs;
    await new Promise<void>((resolve) => {
      this.#engine.after(this.#random.between(1, slowestMs), null, 'forge thinks', resolve);
    });
    if (showsEnd && this.#random.chance(weather.endsFail)) return { status: 502, body: { message: 'bad gateway' } };
    if (this.#random.chance(this.weather.rateLimit)) {
      return { status: 429, body: { message: 'slow down' }, headers: { 'retry-after': '5' } };
    }
    if (this.#random.chance(this.weather.error)) {
      // Whether it was done before it failed is anybody's guess.
      if (this.#random.chance(0.5)) this.#call(method, path, body);
      return { status: 502, body: { message: 'bad gateway' } };
    }
    return this.#call(method, path, body);
  }

  #call(method: string, path: string, body: Uint8Array): HttpAnswer {
    const [, sha] = /\/commits\/([0-9a-f]+)\/check-runs$/.exec(path) ?? [];
    if (sha !== undefined) return { status: 200, body: { check_runs: this.#of(sha) } };
    const given = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, unknown>;
    const [, id] = /\/check-runs\/(\d+)$/.exec(path) ?? [];
    const known = id === undefined ? undefined : this.checks.get(Number(id));
    if (id !== undefined && known === undefined) return { status: 404, body: { message: 'Not Found' } };
    const check = shownCheck(known?.id ?? this.checks.size + 1, given, known?.headSha);
    this.checks.set(check.id, check);
    return { status: method === 'POST' ? 201 : 200, body: answered(check) };
  }

  #of(sha: string): object[] {
    return [...this.checks.values()].filter(({ headSha }) => headSha === sha).map(answered);
  }

  async #send(delivery: Delivery, tries: number): Promise<void> {
    const status = await this.#post(delivery).catch(() => 0);
    const again = status < 200 || status >= 300;
    if (again && tries >= TRIES_MAX) return;
    if (again || this.#random.chance(this.weather.redeliver)) {
      const waitMs = this.#random.between(500, RETRY_MS);
      this.#engine.after(waitMs, null, `again ${delivery.id}`, () => void this.#send(delivery, tries + 1));
    }
  }

  async #post(delivery: Delivery): Promise<number> {
    const { id, event, body } = delivery;
    const signature = createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex');
    const headers = { 'x-github-event': event, 'x-github-delivery': id, 'x-hub-signature-256': `sha256=${signature}` };
    const signal = AbortSignal.timeout(10_000);
    const response = await this.#fetch(`${GATEWAY_URL}/api/v1/webhooks/github`, {
      method: 'POST',
      headers,
      body,
      signal,
    });
    if (response.ok) this.#onAnswered(delivery, ((await response.json()) as { runId: string | null }).runId);
    return response.status;
  }
}

function shownCheck(id: number, given: Record<string, unknown>, headSha: string | undefined): ShownCheck {
  const { title, summary } = given['output'] as { title: string; summary: string };
  return {
    id,
    title,
    summary,
    headSha: headSha ?? String(given['head_sha']),
    externalId: String(given['external_id']),
    status: String(given['status']),
    conclusion: typeof given['conclusion'] === 'string' ? given['conclusion'] : null,
  };
}

const answered = ({ id, externalId, headSha, status, conclusion, title, summary }: ShownCheck): object => ({
  id,
  external_id: externalId,
  head_sha: headSha,
  status,
  conclusion,
  output: { annotations_count: 0, title, summary },
});
