/** The invariants, as they are counted and named when broken. */
export const INVARIANTS = [
  '1 one end',
  '2 fences',
  '3 log order',
  '4 tables are the fold of the log',
  '5 tables move with the head',
  '6 applied once',
  '7 the bus is a prefix of the log',
  '8 deadlines',
  '9 nothing starts after a cancel',
  '10 budgets',
  '11 the forge converges',
  '12 no secrets',
  '13 artifacts have their digest',
  '14 quiet',
  '15 what was accepted stays',
  '16 everything ends',
  '17 every decision can be recorded',
  '18 acknowledged when done',
  '19 waiting work is taken',
  '20 ends have a cause',
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export type Counts = Readonly<Record<Invariant, number>>;

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}

/** Counts how often each invariant was really looked at, and keeps the first that does not hold. */
export class Tally {
  readonly counts: Record<Invariant, number> = Object.fromEntries(INVARIANTS.map((name) => [name, 0])) as Record<
    Invariant,
    number
  >;
  readonly #onBroken: (broken: InvariantBroken) => void;

  constructor(onBroken: (broken: InvariantBroken) => void) {
    this.#onBroken = onBroken;
  }

  /** One look. `detail` is asked for only when it does not hold. */
  check(invariant: Invariant, holds: boolean, detail: () => string): void {
    this.counts[invariant] += 1;
    if (!holds) this.#onBroken(new InvariantBroken(invariant, detail()));
  }
}
