import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callOf, problemWith, type Answer, type HeardCall } from './calls.ts';
import { LeaseBook, type MadeLease } from './lease-book.ts';

/** Larger than any body of the protocol that a scene asks for: the rest of it is not kept. */
const BODY_BYTES_MAX = 80 * 1024 ** 2;
/** How long a lease request waits when there is no lease to give: a scene must not wait for half a minute. */
const POLL_MS = 1_000;

/** Answers in place of the usual one; null leaves it to the usual one, which `usual` gives at once. */
export type Instead = (call: HeardCall, usual: () => Answer) => Answer | Promise<Answer> | null;

/**
 * A gateway for one runner and one lease, on loopback. It answers as a sound gateway would, unless its scene answers in its
 * place, and keeps everything that it heard.
 */
export class PlayedGateway {
  readonly heard: HeardCall[] = [];
  readonly registrationToken = `fake-registration-${randomBytes(12).toString('hex')}`;
  readonly startedAtMs = performance.now();
  /** Requests that came with another token than their call takes. */
  readonly strangers: HeardCall[] = [];
  readonly book: LeaseBook;
  instead: Instead = () => null;
  /** Where it listens. */
  readonly url: string;
  readonly #server: Server;
  readonly #listeners = new Set<() => void>();

  private constructor(server: Server, lease: MadeLease | null) {
    this.book = new LeaseBook(lease);
    this.#server = server.on('request', (request, response) => void this.#receive(request, response));
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param lease what the first runner that asks is given; null for none */
  static async open(lease: MadeLease | null): Promise<PlayedGateway> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PlayedGateway(server, lease);
  }

  /** Those of a name, in the order in which they came. */
  calls(...names: readonly HeardCall['name'][]): readonly HeardCall[] {
    return this.heard.filter(({ name }) => names.includes(name));
  }

  /** Resolves with true once `condition` holds, and with false when it did not within `ms`. */
  async until(condition: () => boolean, ms: number): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const settle = (holds: boolean): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(holds);
      };
      const look = (): void => {
        if (condition()) settle(true);
      };
      const timer = setTimeout(() => settle(condition()), ms);
      this.#listeners.add(look);
    });
  }

  /** Has those who wait for a condition look again. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request).catch(() => null);
    if (body === null) return;
    const call = this.#heardAs(request, body);
    this.heard.push(call);
    this.changed();
    const usual = (): Answer => this.#usual(call);
    const given = await (this.instead(call, usual) ?? this.#patiently(call, usual));
    call.answer = given;
    call.answeredAtMs = performance.now();
    if (given === 'cut') request.socket.destroy();
    else send(response, given);
    this.changed();
  }

  #heardAs(request: IncomingMessage, body: Buffer): HeardCall {
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '/', this.url);
    const { name, leaseId } = callOf(method, url.pathname);
    const contentType = headers['content-type'] ?? '';
    const json = contentType.startsWith('application/json') ? jsonIn(body) : undefined;
    const said = {
      method,
      url: `${url.pathname}${url.search}`,
      query: Object.fromEntries(url.searchParams),
      contentType,
      body,
      json,
    };
    const foreign = leaseId !== null && leaseId !== this.book.lease?.offer.leaseId;
    const problem = foreign ? 'it speaks of a lease that was not offered' : problemWith(name, said);
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
    return { name, ...said, headers, token, problem, atMs: performance.now(), answer: null, answeredAtMs: null };
  }

  /** A lease request waits for a lease to come, as far as its runner wants to wait. */
  async #patiently(call: HeardCall, usual: () => Answer): Promise<Answer> {
    if (call.name !== 'requestLease') return usual();
    const { waitSeconds = 0 } = (call.json ?? {}) as { waitSeconds?: number };
    await this.until(() => this.book.canOffer, Math.min(waitSeconds * 1_000, POLL_MS));
    return usual();
  }

  #usual(call: HeardCall): Answer {
    const needed = call.name === 'registerRunner' ? this.registrationToken : null;
    const known = needed === null ? this.book.knows(call.token) : call.token === needed;
    if (!known && call.name !== 'store') {
      this.strangers.push(call);
      return refusal(401, 'unauthenticated', 'send a valid token: Authorization: Bearer ...');
    }
    if (call.name === 'none') return refusal(404, 'not_found', 'there is no such route');
    if (call.problem !== null) return refusal(400, 'invalid_request', call.problem);
    return this.book.answer(call, this.url);
  }
}

/** An answer that says no. */
export function refusal(status: number, code: string, message: string, details: object = {}): Exclude<Answer, 'cut'> {
  return { status, body: { error: { code, message, details } } };
}

/** Not ready now, and back after so many seconds. */
export function busy(status: 429 | 503, retryAfterS: number): Answer {
  const code = status === 429 ? 'rate_limited' : 'unavailable';
  return { ...refusal(status, code, 'come again'), headers: { 'retry-after': String(retryAfterS) } };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Exclude<Answer, 'cut'>): void {
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
  response.writeHead(status, { ...type, ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
