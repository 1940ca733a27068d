import { refuse, type DomainEvent, type EpochMs, type Refusal, type RefusalCode } from '@delta-ci/contracts';
import { BrokenInvariant } from '../broken-invariant.ts';
import type { RunAggregate, Work } from './aggregate.ts';
import { workOf } from './aggregate.ts';
import { evolveRun } from './evolve.ts';

/** What a decision may know besides the run: the time, by the database's clock. */
export interface DecisionContext {
  readonly nowMs: EpochMs;
}

/**
 * What follows from a command. Accepted with no events: nothing is left to do, the command was a repeat.
 * A refusal can have events too: that it was refused is then itself worth recording.
 */
export type Decision =
  { kind: 'accepted'; events: DomainEvent[] } | { kind: 'refused'; refusal: Refusal; events: DomainEvent[] };

/**
 * A decision in the making: events so far and the run as they leave it, so that each next event is decided on what the
 * earlier ones made true. Lives for one command and never leaves this room.
 */
export class Unfolding {
  readonly nowMs: EpochMs;
  readonly events: DomainEvent[] = [];
  #run: RunAggregate;

  constructor(run: RunAggregate, context: DecisionContext) {
    this.#run = run;
    this.nowMs = context.nowMs;
  }

  get run(): RunAggregate {
    return this.#run;
  }

  /** The plan being carried out. @throws BrokenInvariant when there is none. */
  get work(): Work {
    const work = workOf(this.#run);
    if (work === null) throw new BrokenInvariant(`a ${this.#run.state} run has no plan to carry out`);
    return work;
  }

  record(event: DomainEvent): void {
    this.#run = evolveRun(this.#run, event);
    this.events.push(event);
  }
}

/** A command's outcome inside a decider: null is accepted, with whatever was recorded. */
export type Refused = Refusal | null;

export const ACCEPTED: Refused = null;

/** The command does not fit the state: which machine, which state. */
export function refuseTransition(what: string, state: string, command: string): Refusal {
  return refuse('invalid_transition', `${what} that is ${state} cannot take ${command}`, { state, command });
}

/** Refusals that name why in `details.reason`, for machines. */
export function refuseBecause(code: RefusalCode, reason: string, message: string): Refusal {
  return refuse(code, message, { reason });
}
