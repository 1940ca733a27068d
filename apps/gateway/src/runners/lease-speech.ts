import type { LeaseHash } from '@delta-ci/contracts';
import { findLease, type FoundLease } from '@delta-ci/event-log';
import { leaseHashOf } from '@delta-ci/service';
import { actorOf, type RunnerCaller } from '../access/caller.ts';
import { envelopeFor, idFromLease, type CommandEnvelope } from '../command-ids.ts';
import { Refused } from '../http/refused.ts';
import type { GatewayParts } from '../parts.ts';
import { standingOf } from './standing-lease.ts';

/** What a route about a lease has in its path. */
export interface OfLease {
  readonly leaseId: string;
}

export interface Speech {
  readonly lease: { readonly leaseHash: LeaseHash; readonly runnerId: string };
  readonly envelope: CommandEnvelope;
}

/** What every command of a runner carries: the lease by its hash, and an id that repeats with the request. */
export function speak(what: string, { leaseId }: OfLease, runner: RunnerCaller, more = ''): Speech {
  const { runnerId } = runner;
  const leaseHash = leaseHashOf(leaseId);
  const envelope = envelopeFor(idFromLease(what, leaseHash, runnerId, more), actorOf(runner));
  return { lease: { leaseHash, runnerId }, envelope };
}

/** The lease under which a runner uploads. @throws Refused when its uploads do not count any more */
export async function standingLease(
  { log }: Pick<GatewayParts, 'log'>,
  { leaseId }: OfLease,
  { runnerId }: RunnerCaller,
): Promise<FoundLease> {
  const standing = standingOf(await findLease(log, leaseHashOf(leaseId)), runnerId);
  if (!standing.ok) throw new Refused(standing.refusal);
  return standing.lease;
}
