import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseCgiHeaders } from './cgi-headers.ts';

/** Real repositories over real HTTP: the same `git http-backend` that forges put behind their web servers. */
export interface GitHttpServer {
  /** Base address; a repository at `<root>/demo/shop.git` is cloned from `<url>/demo/shop.git`. */
  url: string;
  /** Requests of git clients so far, as `METHOD path`. */
  requests: readonly string[];
  close: () => Promise<void>;
}

/**
 * Serves the bare repositories under `root` on loopback. Pushing works for repositories with `http.receivepack` on.
 * @param root directory that holds them, e.g. `<root>/demo/shop.git`
 */
export async function serveGit(root: string, port = 0): Promise<GitHttpServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answerByGit(root, request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${address.port}`, requests, close: async () => closeServer(server) };
}

/** Answers one request by running `git http-backend` as a CGI program (RFC 3875). */
export function answerByGit(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      // The server may run as another user than the one who made the repositories.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROTOCOL: header(request, 'git-protocol'),
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: header(request, 'content-type'),
      CONTENT_LENGTH: header(request, 'content-length'),
      HTTP_CONTENT_ENCODING: header(request, 'content-encoding'),
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'demo',
    },
  });
  backend.stdin.on('error', () => undefined);
  request.pipe(backend.stdin);
  response.on('close', () => backend.kill());
  backend.on('error', () => response.writeHead(500).end('git cannot be started'));
  passOn(backend.stdout, response);
}

function passOn(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  let started = false;
  output.on('data', (chunk: Buffer) => {
    if (started) {
      if (!response.write(chunk)) {
        output.pause();
        response.once('drain', () => output.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const parsed = parseCgiHeaders(head);
    if (parsed === null) return;
    started = true;
    response.writeHead(parsed.status, parsed.headers);
    response.write(parsed.rest);
  });
  output.on('end', () => {
    if (!started && !response.headersSent) response.writeHead(502);
    response.end();
  });
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
