import { ROOT, type PatternAutomaton } from './pattern-automaton.ts';
import { VisibleText } from './visible-text.ts';

/**
 * Bytes that nobody sees, kept back because a secret may go on after them. Beyond it the secret counts as broken off: a text
 * that hides that much inside of a secret does not come from a program that means well.
 */
const UNSEEN_BYTES_MAX = 64 * 1024;

/** A text as it is seen, without escape sequences and line breaks, and where in the stream each byte of it stood. */
export class SeenReading {
  readonly #patterns: PatternAutomaton;
  readonly #visible = new VisibleText();
  #state = ROOT;
  /** Positions of the last bytes that were seen. */
  readonly #places: Float64Array;
  #seen = 0;

  constructor(patterns: PatternAutomaton) {
    this.#patterns = patterns;
    this.#places = new Float64Array(2 ** Math.ceil(Math.log2(Math.max(1, patterns.longest))));
  }

  /** Whether no sequence is under way. */
  get isPlain(): boolean {
    return this.#visible.isPlain;
  }

  /** Begins at a position, before which everything that leads to `state` was seen. */
  beginAt(position: number, state: number): void {
    this.#visible.restart();
    this.#state = state;
    this.#seen = this.#patterns.depth[state] as number;
    for (let place = 0; place < this.#seen; place += 1) this.#places[place] = position - this.#seen + place;
  }

  /** Reads the byte at a position; answers where the secret begins that ends with it, -1 when none does. */
  read(byte: number, position: number): number {
    if (!this.#visible.shows(byte)) return -1;
    this.#places[this.#seen & (this.#places.length - 1)] = position;
    this.#seen += 1;
    this.#state = this.#patterns.next(this.#state, byte);
    const length = this.#patterns.found[this.#state] as number;
    return length > 0 ? this.#placeOf(length) : -1;
  }

  /** Whether it is what reading byte by byte is, which is in `state` before a position: in the same state by the same bytes. */
  isAt(position: number, state: number): boolean {
    if (!this.isPlain || this.#state !== state) return false;
    const depth = this.#patterns.depth[state] as number;
    return depth === 0 || this.#placeOf(depth) === position - depth;
  }

  /** Where the beginning of a secret stands that may go on at a position; Infinity without one. */
  undecidedFrom(position: number): number {
    const depth = this.#patterns.depth[this.#state] as number;
    if (depth === 0) return Infinity;
    const from = this.#placeOf(depth);
    if (position - from <= depth + UNSEEN_BYTES_MAX) return from;
    this.#state = ROOT;
    return Infinity;
  }

  /** What was the beginning of a secret is none. A sequence that is under way goes on. */
  breakOff(): void {
    this.#state = ROOT;
  }

  /** Where the last so many bytes that were seen begin. */
  #placeOf(count: number): number {
    return this.#places[(this.#seen - count) & (this.#places.length - 1)] as number;
  }
}
