import { ROOT, type PatternAutomaton } from './pattern-automaton.ts';
import { ESCAPE, mayHide, VisibleText } from './visible-text.ts';

/** What stands where a secret was. */
export const MASK = '***';

/**
 * Bytes that nobody sees, kept back because a secret may go on after them. Beyond it the secret counts as broken off: a text
 * that hides that much inside of a secret does not come from a program that means well.
 */
const UNSEEN_BYTES_MAX = 64 * 1024;

interface Range {
  from: number;
  to: number;
}

/**
 * Replaces secrets in one stream of bytes, whatever the pieces it comes in. It is read in two ways at once: byte by byte, and
 * as it is seen, without escape sequences and line breaks. Only what may be the beginning of a secret is kept back.
 */
export class MaskingStream {
  readonly #patterns: PatternAutomaton;
  /** States of the two readings: the same ones as long as everything is seen. */
  #state = ROOT;
  #seenState = ROOT;
  #apart = false;
  readonly #visible = new VisibleText();
  /** Positions of the last bytes that were seen, kept only while the readings are apart. */
  readonly #places: Float64Array;
  #seen = 0;
  /** What has been read and not let go, from `#from` on. Positions count from the beginning of the stream. */
  #kept: Uint8Array = new Uint8Array(0);
  #from = 0;
  #position = 0;
  /** What is to be masked and not let go: in order, apart from each other. */
  #ranges: Range[] = [];
  /** Where the last mask that was let go ended. */
  #maskedTo = -1;
  #hasMasked = false;

  constructor(patterns: PatternAutomaton) {
    this.#patterns = patterns;
    this.#places = new Float64Array(2 ** Math.ceil(Math.log2(Math.max(1, patterns.longest))));
  }

  /** Bytes that are kept back. */
  get keptBytes(): number {
    return this.#kept.byteLength;
  }

  /** Whether a secret was found so far. */
  get hasMasked(): boolean {
    return this.#hasMasked;
  }

  /** What can be let go now that `chunk` has come. */
  write(chunk: Uint8Array): Uint8Array {
    if (this.#patterns.longest === 0) return chunk;
    this.#kept = this.#kept.byteLength === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    this.#read(chunk);
    const gone = this.#letGo(this.#undecidedFrom());
    // A copy: the few bytes kept back must not keep a whole chunk in memory.
    this.#kept = this.#kept.slice();
    return gone;
  }

  /** The rest. What was the beginning of a secret until now is none. Another text may follow. */
  end(): Uint8Array {
    this.#state = ROOT;
    this.#seenState = ROOT;
    this.#apart = !this.#visible.isPlain;
    return this.#letGo(this.#position);
  }

  #read(chunk: Uint8Array): void {
    const { length } = chunk;
    for (let index = 0; index < length; index += 1) {
      if (this.#state === ROOT && !this.#apart) index = this.#skipQuiet(chunk, index);
      if (index < length) this.#readByte(chunk[index] as number, this.#position + index);
    }
    this.#position += length;
  }

  /** Nearly all of nearly every text changes nothing. Answers where something may. */
  #skipQuiet(chunk: Uint8Array, from: number): number {
    const { begins } = this.#patterns;
    let index = from;
    while (index < chunk.length && begins[chunk[index] as number] === 0 && (chunk[index] as number) !== ESCAPE)
      index += 1;
    return index;
  }

  #readByte(byte: number, position: number): void {
    const { found } = this.#patterns;
    if (!this.#apart && mayHide(byte)) this.#part(position);
    this.#state = this.#patterns.next(this.#state, byte);
    const length = found[this.#state] as number;
    if (length > 0) this.#hide(position + 1 - length, position + 1);
    if (!this.#apart) return;
    if (this.#visible.shows(byte)) this.#see(byte, position);
    if (this.#visible.isPlain) this.#meet(position + 1);
  }

  #see(byte: number, position: number): void {
    this.#places[this.#seen & (this.#places.length - 1)] = position;
    this.#seen += 1;
    this.#seenState = this.#patterns.next(this.#seenState, byte);
    const length = this.#patterns.found[this.#seenState] as number;
    if (length > 0) this.#hide(this.#placeOf(length), position + 1);
  }

  /** From here on the two readings differ. */
  #part(position: number): void {
    this.#apart = true;
    this.#seenState = this.#state;
    this.#seen = this.#patterns.depth[this.#state] as number;
    for (let place = 0; place < this.#seen; place += 1) this.#places[place] = position - this.#seen + place;
  }

  /** They are one again when they are in the same state by the same bytes. */
  #meet(position: number): void {
    if (this.#state !== this.#seenState) return;
    const depth = this.#patterns.depth[this.#state] as number;
    if (depth === 0 || this.#placeOf(depth) === position - depth) this.#apart = false;
  }

  /** Where the last so many bytes that were seen begin. */
  #placeOf(count: number): number {
    return this.#places[(this.#seen - count) & (this.#places.length - 1)] as number;
  }

  /** What ends here may have begun before what ended earlier. */
  #hide(from: number, to: number): void {
    this.#hasMasked = true;
    let last = this.#ranges.at(-1);
    for (; last !== undefined && last.from > from && last.to >= from; last = this.#ranges.at(-1)) this.#ranges.pop();
    if (last !== undefined && last.to >= from) last.to = to;
    else this.#ranges.push({ from, to });
  }

  /** Where the earliest beginning of a secret is that may go on. */
  #undecidedFrom(): number {
    const { depth } = this.#patterns;
    const plain = this.#position - (depth[this.#state] as number);
    const seenDepth = this.#apart ? (depth[this.#seenState] as number) : 0;
    if (seenDepth === 0) return plain;
    const seen = this.#placeOf(seenDepth);
    if (this.#position - seen <= seenDepth + UNSEEN_BYTES_MAX) return Math.min(plain, seen);
    this.#seenState = ROOT;
    return plain;
  }

  #letGo(until: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let position = this.#from;
    const waiting: Range[] = [];
    for (const { from, to } of this.#ranges) {
      if (from < until) {
        parts.push(this.#keptFrom(position, from));
        if (from !== this.#maskedTo) parts.push(Buffer.from(MASK));
        position = Math.min(to, until);
        this.#maskedTo = position;
      }
      if (to > until) waiting.push({ from: Math.max(from, until), to });
    }
    parts.push(this.#keptFrom(position, until));
    this.#ranges = waiting;
    this.#kept = this.#kept.subarray(until - this.#from);
    this.#from = until;
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  #keptFrom(from: number, to: number): Uint8Array {
    return this.#kept.subarray(from - this.#from, to - this.#from);
  }
}
