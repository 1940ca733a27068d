import { Agent, request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/**
 * Requests over kept connections, with as little of the machine as possible: the client runs on the same cores as what it
 * measures, and `fetch` would take about twice as much of them.
 */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  readonly #base: URL;

  constructor(base: string) {
    this.#base = new URL(base);
  }

  /** Connections that are open now. */
  get connections(): number {
    return Object.values(this.#agent.sockets).reduce((total, sockets) => total + (sockets?.length ?? 0), 0);
  }

  /** As the holder of a token. @throws Error when the connection fails; any status is an answer */
  post(path: string, token: string, body: string | Uint8Array, signal?: AbortSignal): Promise<HttpAnswer> {
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream';
    return this.send('POST', path, { authorization: `Bearer ${token}`, 'content-type': type }, body, signal);
  }

  /** @throws Error when the connection fails; any status is an answer */
  send(
    method: 'GET' | 'POST',
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array = '',
    signal?: AbortSignal,
  ): Promise<HttpAnswer> {
    const { hostname, port } = this.#base;
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const options = { agent: this.#agent, hostname, port, path, method, headers: { ...headers, ...length } };
    return new Promise((resolve, reject) => {
      const sent = request(signal === undefined ? options : { ...options, signal }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(parts).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
