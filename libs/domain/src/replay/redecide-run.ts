import { firstDifference, type Actor, type DomainEvent, type Json, type JsonDifference } from '@delta-ci/contracts';
import { initialRun, type RunAggregate } from '../run/aggregate.ts';
import { decideRun } from '../run/decide.ts';
import { evolveRun } from '../run/evolve.ts';
import type { RunCommandType } from '../run/run-command.ts';
import { commandBehind } from './command-behind.ts';

/** An event of a run's stream with what its decision was given besides it. */
export interface DecidedEvent {
  readonly event: DomainEvent;
  readonly atMs: number;
  readonly actor: Actor;
}

/** Where deciding again left the log. */
export interface Departure {
  /** Index of the recorded event. */
  readonly at: number;
  /** What was asked; null when nothing that could be asked leads to this event here. */
  readonly command: RunCommandType | null;
  readonly difference: JsonDifference;
}

export interface RedecidedRun {
  /** Decisions made again without a difference, by what was asked. */
  readonly decisions: Readonly<Partial<Record<RunCommandType, number>>>;
  readonly departure: Departure | null;
  /** The run as recorded, up to the departure. */
  readonly run: RunAggregate;
}

/**
 * Makes every decision of a run again: reads from the record what was asked, at which time, asks the decider, and holds
 * what it answers against what was recorded. Stops at the first field that differs. Requests that led to no event left
 * no trace, and need none: they changed nothing.
 * @param recorded the run's whole stream in order, in current schema versions
 */
export function redecideRun(recorded: readonly DecidedEvent[]): RedecidedRun {
  const decisions: Partial<Record<RunCommandType, number>> = {};
  let run: RunAggregate = initialRun;
  for (let at = 0; at < recorded.length;) {
    const step = decideAgain(run, recorded, at);
    if (step.departure !== null) return { decisions, departure: step.departure, run };
    decisions[step.command] = (decisions[step.command] ?? 0) + 1;
    for (const { event } of recorded.slice(at, at + step.events)) run = evolveRun(run, event);
    at += step.events;
  }
  return { decisions, departure: null, run };
}

type Step =
  | { readonly departure: null; readonly command: RunCommandType; readonly events: number }
  | { readonly departure: Departure };

function decideAgain(run: RunAggregate, recorded: readonly DecidedEvent[], at: number): Step {
  const first = recorded[at];
  if (first === undefined) throw new Error(`no event at ${at}`);
  const command = commandBehind(run, first, recorded[at + 1]?.event ?? null);
  if (command === null) return departed(at, null, { field: 'type', recorded: first.event.type, decided: undefined });
  const { events } = decideRun(command, run, { nowMs: first.atMs });
  if (events.length === 0) {
    return departed(at, command.type, { field: 'type', recorded: first.event.type, decided: undefined });
  }
  for (const [index, decided] of events.entries()) {
    const difference = differenceOf(recorded[at + index], first, decided);
    if (difference !== null) return departed(at + index, command.type, difference);
  }
  return { departure: null, command: command.type, events: events.length };
}

/** One decision's events have one time and one actor. */
function differenceOf(
  recorded: DecidedEvent | undefined,
  first: DecidedEvent,
  decided: DomainEvent,
): JsonDifference | null {
  if (recorded === undefined) return { field: 'type', recorded: undefined, decided: decided.type };
  if (recorded.event.type !== decided.type) {
    return { field: 'type', recorded: recorded.event.type, decided: decided.type };
  }
  const shared = (of: DecidedEvent): Json => ({ atMs: of.atMs, actor: { ...of.actor } });
  return (
    firstDifference({ data: recorded.event.data as Json }, { data: decided.data as Json }) ??
    firstDifference(shared(recorded), shared(first))
  );
}

const departed = (at: number, command: RunCommandType | null, difference: JsonDifference): Step => ({
  departure: { at, command, difference },
});
