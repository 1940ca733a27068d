import { BlockList, isIP, isIPv6 } from 'node:net';
import { METADATA_ADDRESSES, type EgressReason } from '@delta-ci/contracts';
import { isPublicAddress } from '@delta-ci/git';

/** Ranges of addresses, for both families. */
export type Ranges = BlockList;

/** Reads ranges such as `10.1.0.0/16` or `fd00::/8`; an address alone is a range of one. @throws Error that names what is none */
export function readRanges(texts: readonly string[]): Ranges {
  const ranges = new BlockList();
  for (const text of texts) {
    const [address = '', prefix, ...rest] = text.split('/');
    const bits = isIPv6(address) ? 128 : 32;
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Infinity;
    if (isIP(address) === 0 || length > bits || rest.length > 0) throw new Error(`${text} is no range of addresses`);
    ranges.addSubnet(address, length, bits === 128 ? 'ipv6' : 'ipv4');
  }
  return ranges;
}

const contains = (ranges: Ranges, address: string): boolean => ranges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

const metadata = readRanges(METADATA_ADDRESSES);

/** An IPv4 address that is written as IPv6 is judged as what it is. */
function plain(address: string): string {
  const hostname = isIPv6(address) ? (URL.parse(`http://[${address}]/`)?.hostname ?? '') : '';
  const [, high = '', low = ''] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === '') return address;
  const [one, two] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [one >> 8, one & 255, two >> 8, two & 255].join('.');
}

/**
 * Why a job may not connect to an address; null when it may.
 * @param own addresses of this very host, where services of the operator's listen
 * @param permitted what the operator lets jobs reach although it is not public; metadata services are never among it
 */
export function judgeAddress(given: string, own: Ranges, permitted: Ranges): EgressReason | null {
  const address = plain(given);
  if (isIP(address) === 0) return 'private-address';
  if (contains(metadata, address)) return 'metadata-address';
  if (contains(permitted, address)) return null;
  return isPublicAddress(address) && !contains(own, address) ? null : 'private-address';
}
