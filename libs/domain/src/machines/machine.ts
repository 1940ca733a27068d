import { BrokenInvariant } from '../broken-invariant.ts';

/**
 * A state machine as data: which state follows from which on which trigger. The same table moves the aggregate, draws
 * the diagram and drives the property tests. What a table does not list cannot happen.
 */
export interface Machine<State extends string, Trigger extends string> {
  readonly name: string;
  /** How one comes into being. */
  readonly birth: { readonly on: Trigger; readonly to: State };
  readonly triggers: readonly Trigger[];
  readonly transitions: Readonly<Record<State, Readonly<Partial<Record<Trigger, State>>>>>;
}

/** The machine's states, in the order of its table. */
export function statesOf<S extends string, T extends string>(machine: Machine<S, T>): S[] {
  return Object.keys(machine.transitions) as S[];
}

/** A state nothing leads out of. */
export function isTerminal<S extends string, T extends string>(machine: Machine<S, T>, state: S): boolean {
  return Object.keys(machine.transitions[state]).length === 0;
}

/** Whether `trigger` may happen in `state`; a null state is "not there yet". For deciders, which refuse by name. */
export function isAllowed<S extends string, T extends string>(
  machine: Machine<S, T>,
  state: S | null,
  trigger: T,
): boolean {
  if (state === null) return machine.birth.on === trigger;
  return machine.transitions[state][trigger] !== undefined;
}

/**
 * The state after `trigger`, for folding what has been recorded.
 * @throws BrokenInvariant when the table has no such step: a recorded event can only be impossible if the log is wrong.
 */
export function nextState<S extends string, T extends string>(machine: Machine<S, T>, state: S | null, trigger: T): S {
  if (state === null && machine.birth.on === trigger) return machine.birth.to;
  const next = state === null ? undefined : machine.transitions[state][trigger];
  if (next === undefined) {
    throw new BrokenInvariant(`${machine.name}: no step from ${state ?? 'nothing'} on ${trigger}`);
  }
  return next;
}
