import type { Actor, DomainEvent, EventType, RunId } from '@delta-ci/contracts';

/** What a projection may look at: the event and where it stands. Never its position or version: they are given later. */
export type ProjectedEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly id: string;
    readonly type: K;
    readonly data: Extract<DomainEvent, { type: K }>['data'];
    /** The run whose stream this is, or that the event speaks of; null when there is none. */
    readonly correlation: RunId | null;
    readonly atMs: number;
    readonly actor: Actor;
    readonly traceparent: string | null;
  };
}[T];
