import { ENDPOINTS } from '@delta-ci/contracts';
import type { Engine } from '../engine/engine.ts';
import { actingHost, actAs } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Random } from '../engine/random.ts';
import { USUAL_MS, type Weather } from './weather.ts';

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Aborts when the caller has gone. */
  readonly gone: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who answers at an origin: a host, or the world outside (null). */
export interface HttpServer {
  readonly host: () => Host | null;
  /** Null: nobody listens now. */
  readonly handle: ((request: HttpRequest) => Promise<HttpAnswer>) | null;
  /**
   * Whether whatever stands before it sends changes again of its own accord, as RFC 9110 (9.2.2) forbids. Whoever serves
   * us must not; the services themselves have to bear it.
   */
  readonly repeatsChanges: boolean;
}

/** A request as it was made. */
export interface Said {
  readonly address: string;
  readonly init: RequestInit;
}

/** Plain HTTP between hosts: requests and answers that arrive late, twice or never. */
export class SimulatedHttp {
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #weather: Weather;
  /** What each runner said last under a lease. */
  readonly #said = new Map<Host, Said>();
  readonly #asking = new Set<Host>();
  readonly #servers = new Map<string, () => HttpServer | null>();

  constructor(engine: Engine, weather: Weather) {
    this.#engine = engine;
    this.#random = engine.random('http');
    this.#weather = weather;
  }

  /** @param server asked for each request: whoever listens then */
  listen(origin: string, server: () => HttpServer | null): void {
    this.#servers.set(origin, server);
  }

  /** The last words of a host under a lease: whoever keeps them can say them, or others, much later. */
  lastWordsOf(host: Host): Said | null {
    return this.#said.get(host) ?? null;
  }

  /** Whether a host asks for work at this moment: it has no answer yet. */
  asksForWork(host: Host): boolean {
    return this.#asking.has(host);
  }

  /** Stands in for the global `fetch`. */
  fetch(address: string, init: RequestInit = {}): Promise<Response> {
    const host = actingHost();
    const response = this.#exchange(host, address, init);
    if (host === null || !address.endsWith(ENDPOINTS.requestLease.path)) return response;
    this.#asking.add(host);
    const answered = (): void => void this.#asking.delete(host);
    void response.then(answered, answered);
    return response;
  }

  #exchange(host: Host | null, address: string, init: RequestInit): Promise<Response> {
    const url = new URL(address);
    const signal = init.signal ?? undefined;
    return new Promise((resolve, reject) => {
      const gone = new AbortController();
      const fail = (why: string) =>
        this.#engine.after(this.#wayMs(), host, 'request failed', () =>
          reject(new TypeError('fetch failed', { cause: new Error(why) })),
        );
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
        this.#engine.after(USUAL_MS, null, 'caller gone', () => gone.abort());
      });
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const request = requestOf(url, init, gone.signal);
      if (host !== null && request.path.includes('/leases/')) this.#said.set(host, { address, init });
      const answer = (said: HttpAnswer) => {
        if (this.#random.chance(this.#weather.lose)) return;
        this.#engine.after(this.#wayMs(), host, `answer ${said.status} to ${url.pathname.slice(0, 40)}`, () =>
          resolve(responseOf(said, address)),
        );
      };
      this.#send(host, url, request, answer, fail);
    });
  }

  #send(
    caller: Host | null,
    url: URL,
    request: HttpRequest,
    answer: (said: HttpAnswer) => void,
    fail: (why: string) => void,
  ): void {
    if (caller?.isAlive === false || this.#random.chance(this.#weather.lose)) return;
    const mayRepeat = request.method === 'GET' || this.#servers.get(url.origin)?.()?.repeatsChanges === true;
    const times = this.#random.chance(this.#weather.repeat) && mayRepeat ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.#engine.after(this.#wayMs(), null, `${request.method} ${shown(url)}`, () => {
        const server = this.#servers.get(url.origin)?.() ?? null;
        if (server === null || server.handle === null) return fail('ECONNREFUSED');
        const { handle } = server;
        const host = server.host();
        this.#engine.after(0, host, `serves ${shown(url)}`, () => {
          void actAs(host, () => handle(request)).then((said) =>
            this.#engine.after(0, null, 'answers', () => answer(said)),
          );
        });
      });
    }
  }

  #wayMs(): number {
    const usual = this.#random.between(1, USUAL_MS);
    return this.#random.chance(this.#weather.delay) ? usual + this.#random.between(0, this.#weather.delayMaxMs) : usual;
  }
}

export const addressOf = (input: string | URL | Request): string =>
  typeof input === 'string' ? input : 'url' in input ? input.url : input.href;

/** A lease id is a secret, in a trace too. */
const shown = (url: URL): string => url.pathname.replace(/[0-9a-f]{64}/, '…');

function requestOf(url: URL, { method = 'GET', headers, body }: RequestInit, gone: AbortSignal): HttpRequest {
  const given = Object.fromEntries(new Headers(headers));
  const bytes = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array ? body : new Uint8Array();
  return { method, path: url.pathname, query: url.searchParams, headers: given, body: bytes, gone };
}

/** Read without streams, whose turns are not ours to decide. */
function responseOf({ status, body, headers = {} }: HttpAnswer, url: string): Response {
  const text = body === null ? '' : JSON.stringify(body);
  const shownHeaders = new Headers({ 'content-type': 'application/json', ...headers });
  const response: Partial<Response> = {
    status,
    ok: status >= 200 && status < 300,
    url,
    headers: shownHeaders,
    text: () => Promise.resolve(text),
    json: () => Promise.resolve(JSON.parse(text) as unknown),
    arrayBuffer: () => Promise.resolve(new Uint8Array(Buffer.from(text)).buffer),
  };
  return response as Response;
}
