import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { EgressReason } from '@delta-ci/contracts';
import { decideAddresses, type AddressVerdict, type EgressPolicy } from './decide-egress.ts';
import { authorityOf, type Host, type Target } from './host.ts';
import type { ResolveName, UpstreamProxy } from './settings.ts';

/** A connection that stands, or why there is none. */
export type Reached =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly head: Buffer }
  /** `address`: which one of a name's is out of bounds. */
  | { readonly kind: 'refused' | 'failed'; readonly reason: EgressReason; readonly address?: string };

export type ReachSetting = {
  readonly policy: EgressPolicy;
  readonly resolve: ResolveName;
  readonly connectMs: number;
};

/** Addresses of one name that are tried before it counts as out of reach. */
const ADDRESSES_TRIED = 4;

const NOTHING_READ = Buffer.alloc(0);
const UNREACHABLE: Reached = { kind: 'failed', reason: 'unreachable' };

/**
 * Connects to a place that was allowed by its name: resolves it, judges every address, and connects to one of those very
 * addresses, so that a server of names which answers otherwise the next time changes nothing.
 */
export async function reach(setting: ReachSetting, { host, port }: Target, ended: AbortSignal): Promise<Reached> {
  const { policy, resolve, connectMs } = setting;
  const signal = AbortSignal.any([ended, AbortSignal.timeout(connectMs)]);
  const addresses = host.kind === 'address' ? [host.text] : await resolve(host.text, signal).catch(() => []);
  const verdict = decideAddresses(policy, addresses);
  if (verdict !== null) return unreached(host, verdict);
  for (const address of addresses.slice(0, ADDRESSES_TRIED)) {
    const socket = await connected(address, port, signal);
    if (socket !== null) return { kind: 'connected', socket, head: NOTHING_READ };
  }
  return UNREACHABLE;
}

/** What was asked for as an address has been named already. */
function unreached(host: Host, { reason, address }: NonNullable<AddressVerdict>): Reached {
  const kind = reason === 'no-address' ? 'failed' : 'refused';
  return { kind, reason, ...(address === undefined || host.kind === 'address' ? {} : { address }) };
}

/** Null when nothing answers. */
function connected(host: string, port: number, signal: AbortSignal): Promise<Socket | null> {
  if (signal.aborted) return Promise.resolve(null);
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const giveUp = (): void => {
    socket.destroy();
    resolve(null);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  socket.once('error', giveUp);
  socket.once('connect', () => {
    signal.removeEventListener('abort', giveUp);
    socket.off('error', giveUp);
    resolve(socket);
  });
  return promise;
}

/** Connects to the operator's proxy, which is trusted to be where it is said to be. */
export async function reachUpstream(upstream: UpstreamProxy, connectMs: number, ended: AbortSignal): Promise<Reached> {
  const socket = await connected(
    upstream.host,
    upstream.port,
    AbortSignal.any([ended, AbortSignal.timeout(connectMs)]),
  );
  return socket === null ? UNREACHABLE : { kind: 'connected', socket, head: NOTHING_READ };
}

/** Has the operator's proxy lead to a place. Which addresses that has is for that proxy to find out, and to judge. */
export async function reachThrough(
  upstream: UpstreamProxy,
  { host, port }: Target,
  connectMs: number,
  ended: AbortSignal,
): Promise<Reached> {
  const reached = await reachUpstream(upstream, connectMs, ended);
  if (reached.kind !== 'connected') return reached;
  const { socket } = reached;
  const authority = authorityOf({ host, port });
  const { promise, resolve } = Promise.withResolvers<Reached>();
  const giveUp = (): void => {
    socket.destroy();
    resolve(UNREACHABLE);
  };
  const late = setTimeout(giveUp, connectMs);
  const headers = { Host: authority, ...authorizationFor(upstream) };
  const asking = request({ method: 'CONNECT', path: authority, headers, createConnection: () => socket });
  asking.on('error', giveUp);
  asking.once('response', giveUp);
  asking.once('connect', ({ statusCode }, _, head) => {
    if (statusCode === 200) resolve({ kind: 'connected', socket, head });
    else giveUp();
  });
  ended.addEventListener('abort', giveUp, { once: true });
  asking.end();
  const answer = await promise;
  clearTimeout(late);
  ended.removeEventListener('abort', giveUp);
  return answer;
}

export const authorizationFor = ({ authorization }: UpstreamProxy): Record<string, string> =>
  authorization === null ? {} : { 'Proxy-Authorization': authorization };
