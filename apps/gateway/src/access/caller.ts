import type { Actor, Role, RunnerId } from '@delta-ci/contracts';

/** Who calls, as far as it has been proven. */
export type Caller = AccessCaller | RunnerCaller;

/** Somebody with an access token: a person or a machine. */
export interface AccessCaller {
  readonly kind: 'access';
  readonly name: string;
  readonly role: Role;
}

/** A runner with its own token. */
export interface RunnerCaller {
  readonly kind: 'runner';
  readonly runnerId: RunnerId;
  readonly pool: string;
  /** When it registered, by this gateway's clock. */
  readonly registeredAtMs: number;
}

export function actorOf(caller: Caller): Actor {
  return caller.kind === 'runner' ? { kind: 'runner', name: caller.runnerId } : { kind: 'operator', name: caller.name };
}
