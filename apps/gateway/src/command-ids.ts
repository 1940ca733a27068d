import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Actor, LeaseHash, RunId, RunnerId } from '@delta-ci/contracts';
import { traceparentOf } from '@delta-ci/service';

/**
 * Ids of commands. Wherever a repeat of the request must get the first answer, the id follows from the request: from
 * what a forge or a client calls it, or from the lease and the runner that speak.
 */

export interface CommandEnvelope {
  readonly id: string;
  readonly actor: Actor;
  readonly traceparent: string | null;
}

/** The envelope of a command that belongs to the trace of the request under way. */
export function envelopeFor(id: string, actor: Actor): CommandEnvelope {
  return { id, actor, traceparent: traceparentOf() ?? null };
}

/** Of a client's `Idempotency-Key`, told apart by who sends it and for what; random without one. */
export function idFromKey(what: string, actor: Actor, key: string | undefined): string {
  return `${what}-${key === undefined ? randomUUID() : fingerprint(what, actor.name, key)}`;
}

/** For a runner's word about its lease. The runner is part of it: nobody else can use up the id. */
export function idFromLease(what: string, leaseHash: LeaseHash, runnerId: RunnerId, more = ''): string {
  return `${what}-${fingerprint(leaseHash, runnerId, more)}`;
}

/** The run that the command with this id asks for: the same for every repeat of the command. */
export function runIdFrom(commandId: string): RunId {
  return `run_${fingerprint(commandId)}`;
}

export function newRunnerId(): RunnerId {
  return `rnr_${randomBytes(16).toString('hex')}`;
}

/** 128 bits of SHA-256 over the parts, each with its length, so that no two lists read the same. */
function fingerprint(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part};`);
  return hash.digest('hex').slice(0, 32);
}
