import type { EgressDecision, InfrastructureError, LeaseOffer } from '@delta-ci/contracts';
import { openJobEgress, type EgressBounds } from '@delta-ci/egress';
import type { SandboxNetwork } from '@delta-ci/sandbox';

/** What the operator of a runner lets jobs reach. */
export type EgressTerms = EgressBounds & {
  /** `none`: nothing. `proxy`: what both lists name. `host`: trusted jobs whose plan asks for hosts get this host's network. */
  readonly mode: 'none' | 'proxy' | 'host';
};

/** What one job gets. */
export type JobNetwork = {
  readonly network: SandboxNetwork;
  /** What was decided about its connections; undefined where it could make none. */
  readonly decisions: () => EgressDecision[] | undefined;
  readonly close: () => void;
};

const withoutProxy = (network: 'none' | 'host'): JobNetwork => ({
  network,
  decisions: () => undefined,
  close: () => undefined,
});

/**
 * Which network a job gets; an error when the plan asks for what this runner may not give.
 * @param say takes a line for the job's log
 */
export function networkFor(
  { job, trust }: Pick<LeaseOffer, 'job' | 'trust'>,
  terms: EgressTerms,
  say: (line: string) => void,
): JobNetwork | InfrastructureError {
  const { allow } = job.egress;
  if (allow.length === 0) return withoutProxy('none');
  if (terms.mode === 'proxy') {
    const { outlet, ...egress } = openJobEgress(trust, allow, terms, say);
    return { network: outlet, ...egress };
  }
  if (terms.mode === 'host' && trust === 'trusted') return withoutProxy('host');
  const message =
    `the job asks for the network (${allow.join(', ')}) and this runner allows ` +
    (terms.mode === 'host'
      ? 'it to trusted changes only: DELTA_EGRESS=proxy lets jobs reach what their plan names'
      : 'none: start it with DELTA_EGRESS=proxy to allow what plans name');
  return { code: 'not_offered', message };
}
