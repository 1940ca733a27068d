import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Caller } from '../access/caller.ts';

/** The parts of Fastify's request and reply that this room uses; Fastify itself is the adapter's business. */
export interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  readonly url: string;
  /** Address of the peer: the gateway believes no forwarding headers. */
  readonly ip: string;
  readonly raw: IncomingMessage;
  /** Bytes of a JSON body, or the stream of an upload. */
  readonly body: Uint8Array | Readable | undefined;
  /** Set by the guard for every route that needs a proof of who calls. */
  caller?: Caller;
}

export interface Reply {
  readonly raw: ServerResponse;
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body?: unknown): Reply;
  /** Takes the answer over: from now on everything goes through `raw`. */
  hijack(): Reply;
  getHeaders(): Readonly<Record<string, number | string | readonly string[] | undefined>>;
}

/** Aborts when the other side has gone before it was answered. */
export function goneSignal(reply: Reply): AbortSignal {
  const gone = new AbortController();
  if (reply.raw.destroyed) gone.abort();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
