/** How much of the proxy one job may use, and how long anything may take. */
export type EgressLimits = {
  /** Connections of the job at once. */
  readonly connections: number;
  /** Bytes of the job in both directions together. */
  readonly bytes: number;
  /** Until a client has said whole what it wants, and its TLS client whom it asks for. */
  readonly greetingMs: number;
  /** Until names are resolved and a connection stands. */
  readonly connectMs: number;
  /** Longest silence on a connection in both directions. */
  readonly idleMs: number;
};

export const DEFAULT_EGRESS_LIMITS: EgressLimits = {
  connections: 256,
  bytes: 32 * 1024 ** 3,
  greetingMs: 15_000,
  connectMs: 15_000,
  idleMs: 300_000,
};

/** A proxy of the operator's through which alone this host reaches the internet. */
export type UpstreamProxy = { readonly host: string; readonly port: number; readonly authorization: string | null };

/** All addresses of a name, in the order in which they are tried. Rejects, or answers none, where there is none. */
export type ResolveName = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Reads a proxy's address, `http://[user:password@]host:port`. @throws URIError for a user or password that is not percent-encoded */
export function upstreamAt({ hostname: host, port, username, password }: URL): UpstreamProxy {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port === '' ? 80 : port),
    authorization: username === '' ? null : `Basic ${Buffer.from(pair).toString('base64')}`,
  };
}
