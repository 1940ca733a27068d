/** Something that will happen at a moment of simulated time. */
export interface Appointment {
  readonly atMs: number;
  /** Breaks ties: first made, first kept. */
  readonly order: number;
  readonly what: string;
  /** Null once it is called off. */
  run: (() => void) | null;
}

/** Below so many appointments nobody looks for those that are called off. */
const SWEPT_FROM = 512;

/**
 * Appointments by time: a binary heap, because there are some ten thousand in a seed. Most timers are called off long
 * before they are due, so from time to time the heap is rid of them.
 */
export class Agenda {
  #heap: Appointment[] = [];
  #sweptAt = SWEPT_FROM;
  #order = 0;

  add(atMs: number, what: string, run: () => void): Appointment {
    this.#order += 1;
    const made = { atMs, order: this.#order, what, run };
    if (this.#heap.length >= this.#sweptAt) this.#sweep();
    this.#heap.push(made);
    this.#rise(this.#heap.length - 1, made);
    return made;
  }

  /** The next appointment, taken out; undefined when there is none. One that is called off may be among them. */
  next(): Appointment | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (first !== last) this.#sink(0, last);
    return first;
  }

  /** What is left stands in order, which is a heap, too. */
  #sweep(): void {
    this.#heap = this.#heap.filter(({ run }) => run !== null).sort((a, b) => (isEarlier(a, b) ? -1 : 1));
    this.#sweptAt = Math.max(SWEPT_FROM, 2 * this.#heap.length);
  }

  /** Puts an appointment where it belongs, at `from` or above it. */
  #rise(from: number, made: Appointment): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const upper = heap[above];
      if (upper === undefined || !isEarlier(made, upper)) break;
      heap[at] = upper;
      at = above;
    }
    heap[at] = made;
  }

  /** Puts an appointment where it belongs, at `from` or below it. */
  #sink(from: number, moved: Appointment): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      const left = 2 * at + 1;
      const [one, other] = [heap[left], heap[left + 1]];
      if (one === undefined) break;
      const isRight = other !== undefined && isEarlier(other, one);
      const lower = isRight ? other : one;
      if (!isEarlier(lower, moved)) break;
      heap[at] = lower;
      at = isRight ? left + 1 : left;
    }
    heap[at] = moved;
  }
}

const isEarlier = (a: Appointment, b: Appointment): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
