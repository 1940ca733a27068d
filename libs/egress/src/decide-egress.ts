import type { EgressReason } from '@delta-ci/contracts';
import { isListed, type AllowList } from './allow-list.ts';
import { readHost, readTarget, type Target } from './host.ts';
import { judgeAddress, type Ranges } from './judge-address.ts';
import type { Hello } from './server-name.ts';

/** What a job's connections are judged by. */
export type EgressPolicy = {
  /** What the plan lets the job reach. */
  readonly job: AllowList;
  /** What the operator of this runner lets any job reach. Both lists must name a place. */
  readonly runner: AllowList;
  /** Addresses that are not public and may be reached all the same, if a list names the host. */
  readonly permittedRanges: Ranges;
  /** Addresses of this very host. */
  readonly ownAddresses: Ranges;
};

/** Null: let it out. */
export type Verdict = EgressReason | null;

/** Judges a place by its name alone; its addresses are judged when they are known. */
export function decideTarget(policy: EgressPolicy, target: Target): Verdict {
  if (target.host.kind === 'address') {
    // What can never be reached is called by its name even where a list is missing it.
    const verdict = decideAddresses(policy, [target.host.text]);
    if (verdict?.reason === 'metadata-address') return verdict.reason;
  }
  if (!isListed(policy.job, target)) return 'not-listed';
  return isListed(policy.runner, target) ? null : 'beyond-policy';
}

/** Why a place cannot be connected to, and which of its addresses is the reason; no address where there is none. */
export type AddressVerdict = { readonly reason: EgressReason; readonly address?: string } | null;

/** Judges all addresses of a place: one that is out of bounds makes the whole name suspect. */
export function decideAddresses(policy: EgressPolicy, addresses: readonly string[]): AddressVerdict {
  if (addresses.length === 0) return { reason: 'no-address' };
  for (const address of addresses) {
    const reason = judgeAddress(address, policy.ownAddresses, policy.permittedRanges);
    if (reason !== null) return { reason, address };
  }
  return null;
}

/** Where a connection has to be one of TLS. Elsewhere a list that names the port vouches for whatever is spoken there. */
export const TLS_PORT = 443;

/** Judges what a client says first through a tunnel: TLS has to be for the very place the tunnel leads to. */
export function decideGreeting({ host, port }: Target, hello: Exclude<Hello, { kind: 'incomplete' }>): Verdict {
  if (hello.kind === 'not-tls') return port === TLS_PORT ? 'not-tls' : null;
  // An address has no name that could be asked for.
  if (hello.serverName === null) return host.kind === 'address' ? null : 'no-server-name';
  const read = readHost(hello.serverName);
  return read?.kind === host.kind && read.text === host.text ? null : 'server-name-mismatch';
}

/** Judges the host that a plain request names against the place it is sent to. */
export function decideRequestedHost(target: Target, hostHeader: string | undefined): Verdict {
  const named = readTarget(hostHeader ?? '', HTTP_PORT);
  return named?.host.text === target.host.text && named.port === target.port ? null : 'host-mismatch';
}

export const HTTP_PORT = 80;
