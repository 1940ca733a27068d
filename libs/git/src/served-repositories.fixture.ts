import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerByGit } from '../../../test/support/git-server/git-http-server.ts';

/** Decides about a request before git sees it; true means it was answered. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Repositories over real HTTP, with a server that can also misbehave. */
export class ServedRepositories {
  private readonly server: Server;
  readonly requests: string[] = [];
  intercept: Interceptor = () => false;

  private constructor(root: string) {
    this.server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      if (!this.intercept(request, response)) answerByGit(root, request, response);
    });
  }

  static async of(root: string): Promise<ServedRepositories> {
    const served = new ServedRepositories(root);
    served.server.listen(0, '127.0.0.1');
    await once(served.server, 'listening');
    return served;
  }

  get port(): number {
    const address: AddressInfo | string | null = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is not listening');
    return address.port;
  }

  url(repository: string): string {
    return `http://127.0.0.1:${this.port}/${repository}`;
  }

  /** How often objects were asked for: a fetch is one, whatever came before it. */
  get transfers(): number {
    return this.requests.filter((request) => request.startsWith('POST')).length;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
