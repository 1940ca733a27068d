import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';

export interface HeardRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type StoreReply = { readonly status: number; readonly body: unknown } | 'cut' | 'silent';

/** A store of secrets over real HTTP: it hears everything, and answers what its spec wants, as the API is documented. */
export class SmallStore {
  readonly heard: HeardRequest[] = [];
  reply: (request: HeardRequest) => StoreReply = () => ({ status: 404, body: { errors: [] } });
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';

  private constructor(tls: { key: string; cert: string } | null) {
    const listener = (request: IncomingMessage, answer: ServerResponse): void => void this.#answer(request, answer);
    this.#server = tls === null ? createServer(listener) : createTlsServer(tls, listener);
    this.#scheme = tls === null ? 'http' : 'https';
  }

  static async open(tls: { key: string; cert: string } | null = null): Promise<SmallStore> {
    const store = new SmallStore(tls);
    store.#server.listen(0, '127.0.0.1');
    await once(store.#server, 'listening');
    return store;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the store does not listen');
    return `${this.#scheme}://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { method = '', url: path = '', headers } = request;
    const heard = { method, path, headers, body: Buffer.concat(parts).toString() };
    this.heard.push(heard);
    const reply = this.reply(heard);
    if (reply === 'silent') return;
    if (reply === 'cut') {
      request.socket.destroy();
      return;
    }
    answer.writeHead(reply.status, { 'content-type': 'application/json', location: '/elsewhere' });
    answer.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
  }
}

/** A key and a certificate for 127.0.0.1, which signs itself. */
export function ownCertificate(directory: string): { key: string; cert: string } {
  const [key, cert] = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
