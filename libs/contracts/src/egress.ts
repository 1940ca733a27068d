import { z } from 'zod';

/** Why something was not let out, or led nowhere, as a runner's proxy says it. */
export const EgressReason = z.enum([
  'not-listed',
  'beyond-policy',
  'private-address',
  'metadata-address',
  'no-address',
  'unreachable',
  'not-http',
  'not-tls',
  'no-server-name',
  'server-name-mismatch',
  'host-mismatch',
  'too-slow',
  'too-many-connections',
  'too-many-bytes',
]);
export type EgressReason = z.infer<typeof EgressReason>;

const WORDS: Readonly<Record<EgressReason, string>> = {
  'not-listed': "not on the job's allow-list",
  'beyond-policy': 'not among what this runner lets jobs reach',
  'private-address': 'an address that is not of the public internet',
  'metadata-address': 'the address of a metadata service',
  'no-address': 'no server of names knows an address for it',
  unreachable: 'nothing answered there',
  'not-http': 'no request that a proxy understands',
  'not-tls': 'what was sent is not TLS',
  'no-server-name': 'TLS without the name of a server',
  'server-name-mismatch': 'TLS for another server than the one asked for',
  'host-mismatch': 'a request for another host than the one asked for',
  'too-slow': 'said nothing for too long',
  'too-many-connections': 'the job has too many connections',
  'too-many-bytes': 'the job has moved as many bytes as it may',
};

export const egressReasonInWords = (reason: EgressReason): string => WORDS[reason];

/** Longest name of a host. */
export const HOST_CHARS_MAX = 253;
/** Longest text of an address: IPv6 with an IPv4 address at its end. */
export const ADDRESS_CHARS_MAX = 45;

/** As many different decisions as one report tells apart. */
export const EGRESS_DECISIONS_MAX = 100;

/**
 * What became of a job's connections to one place. `allowed`: let out; `refused`: not let out; `failed`: would have been let
 * out, and led nowhere. A null host stands for places that had no name anybody could read, a null port likewise; `others` for all
 * decisions that no longer had a line of their own.
 */
export const EgressDecision = z.strictObject({
  host: z.string().max(HOST_CHARS_MAX).nullable(),
  port: z.number().int().min(0).max(65_535).nullable(),
  decision: z.enum(['allowed', 'refused', 'failed', 'others']),
  /** Null when it was let out, and for `others`. */
  reason: EgressReason.nullable(),
  /** Which address was out of bounds, where that is told: to trusted changes alone. */
  address: z.string().max(ADDRESS_CHARS_MAX).optional(),
  /** How often. */
  count: z.number().int().nonnegative(),
  sentBytes: z.number().int().nonnegative(),
  receivedBytes: z.number().int().nonnegative(),
});
export type EgressDecision = z.infer<typeof EgressDecision>;

/** `host:port`, an IPv6 address in brackets; null for what has no name. */
export function egressPlaceInWords({ host, port }: Pick<EgressDecision, 'host' | 'port'>): string | null {
  if (host === null) return null;
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === null ? shown : `${shown}:${port}`;
}

/** The range of one address, as `DELTA_EGRESS_RANGES` takes it. */
export const egressRangeOf = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

/** Why, with the address that was out of bounds where that is told. Empty for what was let out. */
export function egressWhyInWords({ reason, address }: Pick<EgressDecision, 'reason' | 'address'>): string {
  if (reason === null) return '';
  return address === undefined ? WORDS[reason] : `${WORDS[reason]} (${address})`;
}

/** What a job's log says of a connection that was refused or led nowhere, without the mark of our own lines. */
export function egressInWords(decision: EgressDecision): string {
  const place = egressPlaceInWords(decision);
  return `egress ${decision.decision}: ${place === null ? '' : `${place}, `}${egressWhyInWords(decision)}`;
}
