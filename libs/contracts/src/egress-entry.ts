import { z } from 'zod';

/** Labels of a host name, as certificates and servers of names have them; underscores occur in private zones. */
const NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;
const Ipv4 = z.ipv4();
const Ipv6 = z.ipv6();
/** What ends in a number is read as an address everywhere, however it is written. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)$/;

const PORT_MAX = 65_535;

/** What programs in a sandbox are told to reach without the way out (`no_proxy`): it never leads out, and needs no list. */
const OWN_LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/i;
/** Where machines of clouds ask for their own credentials, out of reach for every job; some are addresses of the public internet. */
export const METADATA_ADDRESSES: readonly string[] = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
];

const EXPECTED =
  'expected a host such as registry.example.org, registry.example.org:8443 or *.example.org, an address, or *';

/** Why an entry of an allow-list can never let a job reach anything; null for one that may. */
export function whyNeverReached(entry: string): string | null {
  if (entry === '*') return null;
  if (entry.includes('://')) return `expected a host and no URL${hostOf(entry)}`;
  if (entry.includes('/')) {
    return 'expected a host: ranges of addresses are for whoever runs the jobs to permit, with DELTA_EGRESS_RANGES';
  }
  const { host, port } = partsOf(entry.startsWith('*.') ? entry.slice(2) : entry);
  if (port !== null && (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > PORT_MAX)) {
    return `expected a port from 1 to ${PORT_MAX}`;
  }
  if (isAddress(host)) return entry.startsWith('*') ? EXPECTED : ofAddress(host);
  // Written out in full a name ends in a dot.
  const name = host.replace(/\.$/, '');
  if (!NAME.test(name) || ENDS_IN_NUMBER.test(name)) return EXPECTED;
  return OWN_LOOPBACK.test(name) ? LOOPBACK_NEEDS_NONE : null;
}

const LOOPBACK_NEEDS_NONE = 'a job reaches its own loopback without a list';

function ofAddress(host: string): string | null {
  if (OWN_LOOPBACK.test(host)) return LOOPBACK_NEEDS_NONE;
  return METADATA_ADDRESSES.includes(host.toLowerCase().replace(/^\[(.*)\]$/, '$1'))
    ? 'no job reaches a metadata service'
    : null;
}

function isAddress(host: string): boolean {
  const [, inBrackets] = /^\[(.*)\]$/.exec(host) ?? [];
  return inBrackets === undefined ? Ipv4.safeParse(host).success : Ipv6.safeParse(inBrackets).success;
}

/** An IPv6 address stands in brackets, so that a port can follow it. */
function partsOf(text: string): { readonly host: string; readonly port: string | null } {
  const at = text.indexOf(':', text.startsWith('[') ? text.indexOf(']') : 0);
  return at === -1 ? { host: text, port: null } : { host: text.slice(0, at), port: text.slice(at + 1) };
}

function hostOf(url: string): string {
  const host = /:\/\/([^/?#]+)/.exec(url)?.[1] ?? '';
  return NAME.test(partsOf(host).host) ? `: ${host}` : '';
}
