import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Told, Tamper } from './broken-gateways.ts';

/** A gateway with one mistake: what it is asked goes on to a sound one, and what that answers is tampered with. */
export class LyingProxy {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async before(target: string, tamper: Tamper): Promise<LyingProxy> {
    const server = createServer((request, response) => {
      answer(target, tamper, request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LyingProxy(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function answer(target: string, tamper: Tamper, request: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { method = '', url = '' } = request;
  const asked = { method, path: url, body: Buffer.concat(chunks) };
  const headers = {
    'content-type': request.headers['content-type'] ?? '',
    authorization: request.headers.authorization ?? '',
  };
  const forward = async (): Promise<Told> => {
    const body = method === 'GET' ? {} : { body: asked.body };
    const reply = await fetch(target + url, { method, headers, ...body });
    return { status: reply.status, text: await reply.text() };
  };
  const { status, text } = await tamper(asked, forward);
  response.writeHead(status, { 'content-type': 'application/json' }).end(text === '' ? undefined : text);
}
