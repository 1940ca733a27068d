import { CACHE_MESSAGE_CHARS_MAX, type CacheResult } from './caches.ts';
import { ADDRESS_CHARS_MAX, HOST_CHARS_MAX, type EgressDecision } from './egress.ts';
import type { InfrastructureError } from './outcome.ts';

/** Takes out of a text what nobody is to read. */
export type Mask = (text: string) => string;

/** What kept a job from being judged, which may repeat what its programs said. */
export function maskedError(error: InfrastructureError | null, mask: Mask): InfrastructureError | null {
  return error === null ? null : { ...error, message: mask(error.message) };
}

/** What became of caches: what went wrong in a sandbox may be told in a job's own words. No longer than a report takes. */
export function maskedCaches(results: readonly CacheResult[], mask: Mask): CacheResult[] {
  return results.map(({ problems, ...result }) => ({
    ...result,
    ...(problems === undefined
      ? {}
      : {
          problems: problems.map((one) => ({ ...one, message: mask(one.message).slice(0, CACHE_MESSAGE_CHARS_MAX) })),
        }),
  }));
}

/** What was decided about connections: a job chooses the names that it asks for. No longer than a report takes. */
export function maskedEgress(decisions: readonly EgressDecision[], mask: Mask): EgressDecision[] {
  return decisions.map(({ host, address, ...decision }) => ({
    ...decision,
    host: host === null ? null : mask(host).slice(0, HOST_CHARS_MAX),
    ...(address === undefined ? {} : { address: mask(address).slice(0, ADDRESS_CHARS_MAX) }),
  }));
}
