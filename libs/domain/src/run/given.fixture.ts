import { expect } from '@jest/globals';
import type { DomainEvent, EventType, RefusalCode } from '@delta-ci/contracts';
import { initialRun, type RunAggregate } from './aggregate.ts';
import { decideRun } from './decide.ts';
import type { Decision } from './decision.ts';
import { evolveRun } from './evolve.ts';
import type { RunCommand } from './run-command.ts';
import { T0 } from './a-run.fixture.ts';

/** A command, or a command at a time of its own. */
export type Step = RunCommand | readonly [RunCommand, number];

/** The events that a story of accepted commands leaves behind; each at T0 unless it says otherwise. */
export function story(...steps: readonly Step[]): DomainEvent[] {
  const events: DomainEvent[] = [];
  let run: RunAggregate = initialRun;
  for (const step of steps) {
    const [command, nowMs] = isTimed(step) ? step : [step, T0];
    const decision = decideRun(command, run, { nowMs });
    if (decision.kind === 'refused') throw new Error(`${command.type}: ${decision.refusal.message}`);
    for (const event of decision.events) {
      run = evolveRun(run, event);
      events.push(event);
    }
  }
  return events;
}

export function folded(events: readonly DomainEvent[]): RunAggregate {
  return events.reduce(evolveRun, initialRun);
}

/** An event by its type and some of its data. */
interface Like {
  readonly type: EventType;
  readonly data?: object;
}

/** What came of a command, and what a spec can say about it. */
export interface Outcome {
  readonly decision: Decision;
  /** The run after it. */
  readonly run: RunAggregate;
  /** Accepted with exactly these events, in this order. */
  readonly thenEvents: (...events: readonly DomainEvent[]) => void;
  /** Accepted with events of these types, in this order. */
  readonly thenTypes: (...types: readonly EventType[]) => void;
  /** Accepted with events that have these members at least, in this order. */
  readonly thenLike: (...events: readonly Like[]) => void;
  readonly thenNothing: () => void;
  /** Refused with this code and these details at least, recording events that have these members at least. */
  readonly thenRefused: (code: RefusalCode, details?: object, ...events: readonly Like[]) => void;
}

/** `given(what happened).when(a command, at a time).thenEvents(what follows)`. */
export function given(events: readonly DomainEvent[]): { when: (command: RunCommand, nowMs?: number) => Outcome } {
  const before = folded(events);
  return { when: (command, nowMs = T0) => outcomeOf(decideRun(command, before, { nowMs }), before) };
}

function outcomeOf(decision: Decision, before: RunAggregate): Outcome {
  return {
    decision,
    run: decision.events.reduce(evolveRun, before),
    thenEvents: (...events) => expect(decision).toEqual({ kind: 'accepted', events }),
    thenTypes: (...types) => expect([decision.kind, ...decision.events.map(typeOf)]).toEqual(['accepted', ...types]),
    thenLike: (...events) => expectLike(decision, 'accepted', events),
    thenNothing: () => expect(decision).toEqual({ kind: 'accepted', events: [] }),
    thenRefused: (code, details = {}, ...events) => {
      expect(decision).toMatchObject({ kind: 'refused', refusal: { code, details } });
      expectLike(decision, 'refused', events);
    },
  };
}

function expectLike(decision: Decision, kind: Decision['kind'], events: readonly Like[]): void {
  expect([decision.kind, ...decision.events.map(typeOf)]).toEqual([kind, ...events.map(typeOf)]);
  expect(decision.events).toMatchObject(events);
}

function typeOf({ type }: { type: EventType }): EventType {
  return type;
}

function isTimed(step: Step): step is readonly [RunCommand, number] {
  return Array.isArray(step);
}
