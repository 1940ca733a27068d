import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { done, failed, type GitResult } from './git-error.ts';
import type { CloneUrl } from './clone-url.ts';

/**
 * Which addresses a remote may have. `public_only` refuses private, loopback, link-local (where cloud metadata lives) and
 * reserved ranges, except hosts named in `alsoHosts`: a forge inside one's own network is normal, but has to be named.
 * `any` is for development and closed networks.
 */
export type AddressPolicy =
  { readonly kind: 'any' } | { readonly kind: 'public_only'; readonly alsoHosts: readonly string[] };

/** Finds the addresses of a host. Injected in tests; the system's resolver otherwise. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** IANA special-purpose registries: every IPv4 range that is not for the public internet. */
const NOT_PUBLIC_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Inside 2000::/3, what still is not a plain public address: documentation, and tunnels that carry an IPv4 address. */
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

function listOf(ranges: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}

const notPublicV4 = listOf(NOT_PUBLIC_V4, 'ipv4');
const notPublicV6 = listOf(NOT_PUBLIC_V6, 'ipv6');
const globalUnicastV6 = listOf([['2000::', 3]], 'ipv6');

/** Whether an address is one of the public internet. IPv6 is public only inside 2000::/3, so mapped addresses are not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !notPublicV4.check(address, 'ipv4');
  if (family === 6) return globalUnicastV6.check(address, 'ipv6') && !notPublicV6.check(address, 'ipv6');
  return false;
}

async function resolveWithSystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map((entry) => entry.address);
}

/** The addresses to connect to and no others, or undefined where the policy leaves the choice to the system. */
export type PinnedAddresses = readonly string[] | undefined;

/**
 * Resolves a remote's host once and judges every address it has. The connection must then be made to these very addresses:
 * asking the resolver a second time could get another answer.
 */
export async function judgeAddresses(
  remote: CloneUrl,
  policy: AddressPolicy,
  resolve: ResolveHost = resolveWithSystem,
): Promise<GitResult<PinnedAddresses>> {
  if (policy.kind === 'any' || remote.protocol === 'file') return done(undefined);
  if (policy.alsoHosts.some((host) => host.toLowerCase() === remote.host)) return done(undefined);
  let addresses: readonly string[];
  try {
    addresses = isIP(remote.host) === 0 ? await resolve(remote.host) : [remote.host];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failed('repository_unreachable', `the name ${remote.host} could not be resolved: ${reason}`);
  }
  const refused = addresses.find((address) => !isPublicAddress(address));
  if (refused !== undefined) {
    return failed(
      'address_refused',
      `${remote.host} has the address ${refused}, which is not a public one; name the host in the configuration to allow it`,
    );
  }
  if (addresses.length === 0) return failed('repository_unreachable', `the name ${remote.host} has no address`);
  return done(addresses);
}
