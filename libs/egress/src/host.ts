import { isIP } from 'node:net';

/** A place on the network in the one spelling in which it is compared: a name in lower case, or an address. */
export type Host = { readonly kind: 'name' | 'address'; readonly text: string };

export type Target = { readonly host: Host; readonly port: number };

/** Names of ASCII letters, as the wire has them, and the spellings of IPv4 that some programs understand. */
const PLAIN = /^[A-Za-z0-9_.-]{1,254}$/;
const BRACKETED = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const AUTHORITY = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/;

const PORT_MAX = 65_535;

/**
 * Reads a host as URLs have it: `0x7f.1`, `2130706433` and `0177.0.0.1` are addresses, an IPv6 address stands in brackets.
 * Null for what is none.
 */
export function readHost(text: string): Host | null {
  if (!PLAIN.test(text) && !BRACKETED.test(text)) return null;
  const url = URL.parse(`http://${text}/`);
  if (url === null) return null;
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0) return { kind: 'address', text: bare };
  const name = bare.replace(/\.$/, '');
  return name === '' || name.length > 253 || name.includes('..') ? null : { kind: 'name', text: name };
}

/** Reads `host:port`; null for what is none. @param portByDefault for a host alone; null where a port must be named */
export function readTarget(authority: string, portByDefault: number | null): Target | null {
  const [, host, digits] = AUTHORITY.exec(authority) ?? [];
  const read = host === undefined ? null : readHost(host);
  const port = digits === undefined ? portByDefault : Number(digits);
  if (read === null || port === null || port < 1 || port > PORT_MAX) return null;
  return { host: read, port };
}

/** A target as requests name it. */
export const authorityOf = ({ host, port }: Target): string =>
  `${host.text.includes(':') ? `[${host.text}]` : host.text}:${port}`;
