import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A call of a runner about its lease. */
export interface HeardCall {
  what: string;
  body: Buffer;
}

type Answer = { status: number; body: object };

const STALE: Answer = {
  status: 409,
  body: { error: { code: 'stale_lease', message: 'gone', details: { reason: 'expired' } } },
};

/** The runner protocol of one lease over real HTTP: it hears everything, and answers as its spec wants. */
export class SmallGateway {
  readonly heard: HeardCall[] = [];
  /** The lease is somebody else's by now. */
  stale = false;
  cancelRequested = false;
  /** Connections are cut before anything is heard. */
  away = false;
  /** The next heartbeat is told that the lease lives so long from then, in milliseconds; after that the gateway is away. */
  lastTtlMs: number | null = null;
  /** An artifact of this name is refused as too large. */
  refusedArtifact = '';
  readonly #ttlMs: number;
  readonly #server: Server;
  #log = Buffer.alloc(0);

  private constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
    this.#server = createServer((request, reply) => void this.#answer(request, reply));
  }

  static async open(ttlMs: number): Promise<SmallGateway> {
    const gateway = new SmallGateway(ttlMs);
    gateway.#server.listen(0, '127.0.0.1');
    await once(gateway.#server, 'listening');
    return gateway;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the gateway does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  get log(): string {
    return this.#log.toString();
  }

  /** The names of the calls so far, heartbeats and log chunks left out. */
  get words(): string[] {
    return this.heard.map(({ what }) => what).filter((what) => what !== 'heartbeat' && what !== 'log');
  }

  /** The one report under this name. */
  reported(what: 'complete' | 'cancel-ack'): unknown {
    const [call] = this.heard.filter((heard) => heard.what === what);
    return call === undefined ? null : JSON.parse(call.body.toString());
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    if (this.away) {
      request.socket.destroy();
      return;
    }
    const url = new URL(request.url ?? '/', this.url);
    const what = url.pathname.split('/').at(-1) ?? '';
    const body = Buffer.concat(chunks);
    this.heard.push({ what, body });
    const { status, body: answer } = this.stale ? STALE : this.#usualAnswer(what, url, body);
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  #usualAnswer(what: string, url: URL, body: Buffer): Answer {
    if (what === 'ack') return { status: 200, body: { state: 'active' } };
    if (what === 'heartbeat') return { status: 200, body: this.#heartbeat() };
    if (what === 'log') return { status: 200, body: { nextOffset: this.#append(url, body) } };
    if (what === 'artifacts') return this.#artifact(url, body);
    return { status: 200, body: { outcome: what === 'complete' ? 'taken' : 'canceled' } };
  }

  #heartbeat(): object {
    const { cancelRequested } = this;
    const ttlMs = this.lastTtlMs ?? this.#ttlMs;
    if (this.lastTtlMs !== null) this.away = true;
    return { extend: true, ttlMs, cancelRequested, cancelDeadlineAtMs: cancelRequested ? 1 : null };
  }

  #append(url: URL, chunk: Buffer): number {
    const offset = Number(url.searchParams.get('offset'));
    this.#log = Buffer.concat([this.#log.subarray(0, offset), chunk]);
    return this.#log.byteLength;
  }

  #artifact(url: URL, body: Buffer): Answer {
    if (url.searchParams.get('name') === this.refusedArtifact)
      return { status: 413, body: { error: { code: 'payload_too_large', message: 'too large', details: {} } } };
    return { status: 200, body: { digest: url.searchParams.get('digest'), sizeBytes: body.byteLength } };
  }
}
