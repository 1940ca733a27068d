import { networkInterfaces } from 'node:os';
import {
  egressReasonInWords,
  type EgressDecision,
  type InfrastructureError,
  type LeaseOffer,
} from '@delta-ci/contracts';
import {
  DEFAULT_EGRESS_LIMITS,
  EgressProxy,
  readAllowList,
  readRanges,
  type ResolveName,
  type UpstreamProxy,
} from '@delta-ci/egress';
import type { SandboxNetwork } from '@delta-ci/sandbox';

/** What the operator of a runner lets jobs reach. */
export type EgressTerms = {
  /** `none`: nothing. `proxy`: what both lists name. `host`: trusted jobs whose plan asks for hosts get this host's network. */
  readonly mode: 'none' | 'proxy' | 'host';
  /** Hosts that any job may ask for. */
  readonly allow: readonly string[];
  /** Ranges of addresses that are not public and may be reached all the same. */
  readonly ranges: readonly string[];
  readonly upstream: UpstreamProxy | null;
  readonly resolve: ResolveName;
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
  if (terms.mode === 'proxy') return behindProxy(trust, allow, terms, say);
  if (terms.mode === 'host' && trust === 'trusted') return withoutProxy('host');
  const message =
    `the job asks for the network (${allow.join(', ')}) and this runner allows ` +
    (terms.mode === 'host'
      ? 'it to trusted changes only: DELTA_EGRESS=proxy lets jobs reach what their plan names'
      : 'none: start it with DELTA_EGRESS=proxy to allow what plans name');
  return { code: 'layer_missing', message };
}

function behindProxy(
  trust: LeaseOffer['trust'],
  allow: readonly string[],
  { allow: operator, ranges, upstream, resolve }: EgressTerms,
  say: (line: string) => void,
): JobNetwork {
  // Any host whatever is for our own changes; a plan that says so for a stranger's is not believed.
  const asked = readAllowList(trust === 'trusted' ? allow : allow.filter((entry) => entry !== '*'));
  for (const entry of asked.unread) say(`egress: ${JSON.stringify(entry)} is no host, and allows nothing`);
  const proxy = new EgressProxy({
    policy: {
      job: asked.list,
      runner: readAllowList(operator).list,
      permittedRanges: readRanges(ranges),
      ownAddresses: readRanges(ownAddresses()),
    },
    limits: DEFAULT_EGRESS_LIMITS,
    resolve,
    upstream,
    onDecision: (decision) => {
      if (decision.decision !== 'allowed') say(inWords(decision));
    },
  });
  return {
    network: { accept: (connection) => proxy.accept(connection) },
    decisions: () => proxy.decisions(),
    close: () => proxy.close(),
  };
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));

function inWords({ host, port, decision, reason }: EgressDecision): string {
  const place = host === null ? '' : ` ${host}:${port},`;
  return `egress ${decision}:${place} ${reason === null ? '' : egressReasonInWords(reason)}`;
}
