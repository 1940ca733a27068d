import { ROOT, type PatternAutomaton } from './pattern-automaton.ts';
import { SeenReading } from './seen-reading.ts';
import { ESCAPE, mayHide } from './visible-text.ts';

/** What stands where a secret was. */
export const MASK = '***';

/** Readings at once, at most: of more, which only a text has that was made for it, the oldest ends. */
const READINGS_MAX = 4;

interface Range {
  from: number;
  to: number;
}

/**
 * Replaces secrets in one stream of bytes, whatever the pieces it comes in. It is read in two ways at once: byte by byte, and
 * as it is seen, without escape sequences and line breaks. Where a mask takes the place of a part of a sequence, nobody can tell
 * any more where that ends: what follows is also read as if it had ended there. Only what may be the beginning of a secret is
 * kept back.
 */
export class MaskingStream {
  readonly #patterns: PatternAutomaton;
  /** State of the reading byte by byte. */
  #state = ROOT;
  /** Readings of what is seen: the first so many of these, as long as they are others than that. The rest are used again. */
  readonly #readings: SeenReading[] = [];
  #apart = 0;
  /** Whether a sequence may have ended with a mask, so that from there on what is seen is also what is read byte by byte. */
  #isBroken = false;
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
    for (const reading of this.#readings) reading.breakOff();
    for (let index = this.#apart - 1; index >= 0; index -= 1)
      if (this.#readings[index]?.isPlain === true) this.#meet(index);
    return this.#letGo(this.#position);
  }

  #read(chunk: Uint8Array): void {
    const { length } = chunk;
    for (let index = 0; index < length; index += 1) {
      if (this.#state === ROOT && this.#apart === 0) index = this.#skipQuiet(chunk, index);
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
    if (mayHide(byte) && (this.#apart === 0 || this.#isBroken)) this.#part(position);
    this.#state = this.#patterns.next(this.#state, byte);
    const length = this.#patterns.found[this.#state] as number;
    if (length > 0) this.#hide(position + 1 - length, position + 1);
    if (this.#apart > 0) this.#see(byte, position, length > 0);
  }

  /** @param isMasked whether a secret ended here, as it is read byte by byte */
  #see(byte: number, position: number, isMasked: boolean): void {
    let isPlain = false;
    for (let index = this.#apart - 1; index >= 0; index -= 1) {
      const reading = this.#readings[index] as SeenReading;
      const from = reading.read(byte, position);
      if (from !== -1) this.#hide(from, position + 1);
      if (!reading.isPlain) continue;
      isPlain = true;
      if (reading.isAt(position + 1, this.#state)) this.#meet(index);
    }
    if (this.#apart === 0) this.#isBroken = false;
    else if (isMasked && !isPlain) this.#isBroken = true;
  }

  /** From here on what is seen differs from what is read byte by byte. */
  #part(position: number): void {
    if (this.#apart === READINGS_MAX) this.#meet(0);
    const reading = (this.#readings[this.#apart] ??= new SeenReading(this.#patterns));
    reading.beginAt(position, this.#state);
    this.#apart += 1;
    this.#isBroken = false;
  }

  /** A reading ends. */
  #meet(index: number): void {
    if (index < this.#apart - 1) this.#readings.splice(this.#apart - 1, 0, ...this.#readings.splice(index, 1));
    this.#apart -= 1;
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
    let from = this.#position - (this.#patterns.depth[this.#state] as number);
    for (let index = 0; index < this.#apart; index += 1)
      from = Math.min(from, (this.#readings[index] as SeenReading).undecidedFrom(this.#position));
    return from;
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
