/** Something that will happen at a moment of simulated time. */
export interface Appointment {
  readonly atMs: number;
  /** Breaks ties: first made, first kept. */
  readonly order: number;
  readonly what: string;
  /** Null once it is called off. */
  run: (() => void) | null;
}

/** Appointments by time: a binary heap, because there are some ten thousand in a seed. */
export class Agenda {
  readonly #heap: Appointment[] = [];
  #order = 0;

  add(atMs: number, what: string, run: () => void): Appointment {
    this.#order += 1;
    const made = { atMs, order: this.#order, what, run };
    this.#heap.push(made);
    this.#rise(this.#heap.length - 1);
    return made;
  }

  /** The next appointment, taken out; undefined when there is none. */
  next(): Appointment | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (first !== last) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfLater(above, at)) return;
      at = above;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const below = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfLater(at, below)) return;
      at = below;
    }
  }

  #swapIfLater(above: number, below: number): boolean {
    if (!this.#isEarlier(below, above)) return false;
    const [upper, lower] = [this.#heap[above], this.#heap[below]];
    if (upper === undefined || lower === undefined) return false;
    this.#heap[above] = lower;
    this.#heap[below] = upper;
    return true;
  }

  #isEarlier(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }
}
