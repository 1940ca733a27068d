import type { EgressDecision } from '@delta-ci/contracts';
import type { JobOutput } from './job-output.ts';

/** A job chooses the names that it asks for, and where a name leads may be a secret as well. Null where nothing decided. */
export function maskedEgress(
  decisions: readonly EgressDecision[] | null,
  output: JobOutput,
): readonly EgressDecision[] | null {
  if (decisions === null) return null;
  return decisions.map(({ host, address, ...rest }) => ({
    ...rest,
    host: host === null ? null : output.mask(host),
    ...(address === undefined ? {} : { address: output.mask(address) }),
  }));
}
