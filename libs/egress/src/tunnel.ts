import type { Socket } from 'node:net';
import { readServerName, type Hello } from './server-name.ts';

export type Greeting = Exclude<Hello, { kind: 'incomplete' }>;

/** The first words of a client, as far as they were needed to tell what it speaks. */
export type FirstWords = { readonly bytes: Buffer; readonly greeting: Greeting };

/**
 * Reads from a client until it is clear whether it speaks TLS, and for whom. Settles when the client ends, too; reads no further.
 * @param head what was read of it already
 */
export function firstWords(client: Socket, head: Buffer): Promise<FirstWords> {
  const { promise, resolve } = Promise.withResolvers<FirstWords>();
  let chunks: Buffer[] = [];
  let [length, readsOnAt] = [0, 1];
  const settle = (greeting: Greeting): void => {
    client.pause();
    client.off('data', take).off('end', ended).off('close', ended);
    resolve({ bytes: Buffer.concat(chunks), greeting });
  };
  const ended = (): void => settle({ kind: 'not-tls' });
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < readsOnAt) return;
    const bytes = Buffer.concat(chunks);
    chunks = [bytes];
    const hello = readServerName(bytes);
    if (hello.kind === 'incomplete') ({ readsOnAt } = hello);
    else settle(hello);
  };
  client.on('end', ended).on('close', ended);
  if (client.readableEnded || client.destroyed) ended();
  if (head.length > 0) client.unshift(head);
  client.on('data', take);
  client.resume();
  return promise;
}

/** Passes on what one side says, and that it has ended, at the pace of the other. */
export function passOn(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => count(chunk.length));
  if (from.readableEnded) to.end();
  else from.pipe(to);
}

/** Ends both when one falls silent for too long, or breaks. */
export function tieTogether(one: Socket, other: Socket, idleMs: number): void {
  const end = (): void => {
    one.destroy();
    other.destroy();
  };
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('error', end);
    // What the peer was not told yet it is still told.
    socket.on('close', () => peer.destroySoon());
    socket.setTimeout(idleMs, end);
  }
}
