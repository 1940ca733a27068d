import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { readTarget, type Target } from './host.ts';
import { decideRequestedHost, HTTP_PORT, type Verdict } from './decide-egress.ts';

/** A plain request that is understood: where it goes, and what it asks for there. */
export type PlainRequest = { readonly target: Target; readonly path: string; readonly verdict: Verdict };

/** For one connection only, and none of the other side's business. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Reads a request to a proxy, which names its place whole, or, through a tunnel to `tunnel`, one to a server. Null for what is
 * neither.
 */
export function readPlainRequest({ url = '', headers }: IncomingMessage, tunnel: Target | null): PlainRequest | null {
  if (tunnel !== null) {
    const path = url.startsWith('/') ? url : null;
    return path === null ? null : { target: tunnel, path, verdict: decideRequestedHost(tunnel, headers.host) };
  }
  const [, authority = '', path = ''] = /^http:\/\/([^/?#@]+)([/?].*)?$/i.exec(url) ?? [];
  const target = readTarget(authority, HTTP_PORT);
  if (target === null) return null;
  const asked = path.startsWith('/') ? path : `/${path}`;
  return { target, path: asked, verdict: decideRequestedHost(target, headers.host) };
}

/** Says where the message ends. Were it taken away because `Connection` names it, the rest would pass for another request. */
const FRAMING = 'content-length';

/** Headers as they are sent on: names and values by turns. */
function sentOn({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = (headers.connection ?? '').toLowerCase().split(',');
  const dropped = new Set([...HOP_BY_HOP, ...named.map((name) => name.trim())]);
  dropped.delete(FRAMING);
  const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, at) => rawHeaders.slice(2 * at, 2 * at + 2));
  return pairs.filter(([name = '']) => !dropped.has(name.toLowerCase())).flat();
}

/** A connection that stands, and how the other side has to be asked on it. */
export type Way = {
  readonly socket: Socket;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Asks the other side and hands its answer to the client. Rejects when either breaks off. */
export async function askOn(asked: IncomingMessage, answer: ServerResponse, way: Way): Promise<void> {
  const hasBody = asked.headers['transfer-encoding'] !== undefined;
  const headers = [
    'Host',
    way.host,
    'Connection',
    'close',
    ...Object.entries(way.headers).flat(),
    ...(hasBody ? ['Transfer-Encoding', 'chunked'] : []),
    ...sentOn(asked),
  ];
  const asking = request({
    method: asked.method ?? 'GET',
    path: way.path,
    headers,
    createConnection: () => way.socket,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asking.once('response', resolve);
    asking.once('error', reject);
    asking.once('close', () => reject(new Error('no answer')));
  });
  // It may answer before it has heard all.
  pipeline(asked, asking).catch((error: unknown) => asking.destroy(error instanceof Error ? error : undefined));
  const response = await answered;
  answer.writeHead(response.statusCode ?? 502, response.statusMessage ?? '', [
    ...sentOn(response),
    'Connection',
    'close',
  ]);
  await pipeline(response, answer);
}
