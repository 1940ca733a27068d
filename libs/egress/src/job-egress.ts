import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { egressInWords, type EgressDecision, type TrustLevel } from '@delta-ci/contracts';
import { readAllowList } from './allow-list.ts';
import { EgressProxy } from './egress-proxy.ts';
import { readRanges } from './judge-address.ts';
import { DEFAULT_EGRESS_LIMITS, type ResolveName, type UpstreamProxy } from './settings.ts';

/** What whoever carries out jobs on this host lets them reach at most. */
export type EgressBounds = {
  /** Hosts that any job may ask for. */
  readonly allow: readonly string[];
  /** Ranges of addresses that are not public and may be reached all the same. */
  readonly ranges: readonly string[];
  readonly upstream: UpstreamProxy | null;
  readonly resolve: ResolveName;
};

/** The way out of one job. */
export type JobEgress = {
  /** Takes the connections of the job: what a sandbox calls an outlet. */
  readonly outlet: { readonly accept: (connection: Socket) => void };
  /** What was decided so far. */
  readonly decisions: () => EgressDecision[];
  readonly close: () => void;
};

/**
 * Opens a proxy for one job, which lets out what its plan and the bounds both name. The same wherever the job is carried out.
 *
 * Which address of a name is out of bounds is told to trusted changes: whoever may write to the repository and has its hosts
 * allowed has to be able to say to the operator what to permit. A stranger would learn from it how names of the inside resolve.
 * @param allow of the job's plan
 * @param say takes a line for the job's log
 * @throws Error that names what is no range of addresses
 */
export function openJobEgress(
  trust: TrustLevel,
  allow: readonly string[],
  { allow: bounds, ranges, upstream, resolve }: EgressBounds,
  say: (line: string) => void,
): JobEgress {
  // Any host whatever is for our own changes; a plan that says so for a stranger's is not believed.
  const asked = readAllowList(trust === 'trusted' ? allow : allow.filter((entry) => entry !== '*'));
  for (const entry of asked.unread) say(`egress: ${JSON.stringify(entry)} is no host, and allows nothing`);
  const proxy = new EgressProxy({
    policy: {
      job: asked.list,
      runner: readAllowList(bounds).list,
      permittedRanges: readRanges(ranges),
      ownAddresses: readRanges(ownAddresses()),
    },
    limits: DEFAULT_EGRESS_LIMITS,
    resolve,
    upstream,
    onDecision: (decision) => {
      if (decision.decision !== 'allowed') say(egressInWords(toldTo(trust, decision)));
    },
  });
  return {
    outlet: { accept: (connection) => proxy.accept(connection) },
    decisions: () => proxy.decisions().map((decision) => toldTo(trust, decision)),
    close: () => proxy.close(),
  };
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));

function toldTo(trust: TrustLevel, { address, ...decision }: EgressDecision): EgressDecision {
  return trust === 'trusted' && address !== undefined ? { ...decision, address } : decision;
}
