/** Of the end of a log that was cut so much is kept: the last words say why a job failed. */
const TAIL_BYTES_MAX = 64 * 1024;
/** Of a small log no more than this part of it is its end. */
const TAIL_SHARE = 4;

const LINE_FEED = 0x0a;

const markerFor = (bytesMax: number): string =>
  `\n[delta] the log has reached its limit of ${bytesMax} bytes: of what comes now, only the end is kept\n`;
const cutWords = (bytes: number): string => `[delta] ${bytes} bytes were left out\n`;

/** Our words are ASCII. */
const bytesOf = (words: string): Uint8Array => Uint8Array.from(words, (letter) => letter.charCodeAt(0));

/**
 * Bounds the log of a job: it passes on what comes until there is room for no more than the end, then a marker, and, when all is
 * over, how many bytes were left out, and the last of them. Whatever comes, what is passed on is never more than the bound, and a
 * log that fits is passed on as it is.
 */
export class CappedLog {
  readonly #bytesMax: number;
  readonly #tailBytes: number;
  /** Of a log that is cut, the bytes before the marker. */
  readonly #headBytes: number;
  #room: number;
  /** The last bytes of what did not fit, in a ring; made when it is needed, which is rarely. */
  #ring: Uint8Array | null = null;
  /** Bytes that did not fit, those in the ring among them. */
  #beyond = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#tailBytes = Math.min(TAIL_BYTES_MAX, Math.floor(bytesMax / TAIL_SHARE));
    const words = markerFor(bytesMax).length + cutWords(Number.MAX_SAFE_INTEGER).length;
    this.#headBytes = Math.max(0, bytesMax - this.#tailBytes - words);
    this.#room = this.#headBytes;
  }

  /** Whether something was left out. */
  get isCut(): boolean {
    return this.#beyond > this.#tailBytes;
  }

  /** At which byte the marker stands; null while nothing was left out. */
  get cutAt(): number | null {
    return this.isCut ? this.#headBytes : null;
  }

  /** Bytes that were taken and wait for the end to be passed on; none of a log that is cut, where it is open what they will be. */
  get heldBytes(): number {
    return this.isCut ? 0 : this.#beyond;
  }

  /** What to pass on now that `chunk` has come, in order. */
  take(chunk: Uint8Array): Uint8Array[] {
    const fits = chunk.subarray(0, this.#room);
    this.#room -= fits.byteLength;
    const wasCut = this.isCut;
    if (fits.byteLength < chunk.byteLength) this.#hold(chunk.subarray(fits.byteLength));
    const marker = this.isCut && !wasCut ? [bytesOf(markerFor(this.#bytesMax))] : [];
    return [...(fits.byteLength === 0 ? [] : [fits]), ...marker];
  }

  /** What is left to pass on when nothing more comes. */
  end(): Uint8Array[] {
    const held = this.#held();
    if (!this.isCut) {
      this.#beyond = 0;
      return held.byteLength === 0 ? [] : [held];
    }
    // A line without its beginning would read as something else than it was.
    const lines = held.subarray(held.indexOf(LINE_FEED) + 1);
    const kept = lines.byteLength === 0 ? held : lines;
    return [bytesOf(cutWords(this.#beyond - kept.byteLength)), kept];
  }

  #hold(part: Uint8Array): void {
    const ring = (this.#ring ??= new Uint8Array(this.#tailBytes));
    // Of a part that is longer than the ring, its end alone can stay.
    const skipped = Math.max(0, part.byteLength - ring.byteLength);
    const end = part.subarray(skipped);
    const at = (this.#beyond + skipped) % ring.byteLength;
    const untilWrap = end.subarray(0, ring.byteLength - at);
    ring.set(untilWrap, at);
    ring.set(end.subarray(untilWrap.byteLength), 0);
    this.#beyond += part.byteLength;
  }

  /** The last bytes of what did not fit, in their order. */
  #held(): Uint8Array {
    if (this.#ring === null) return new Uint8Array();
    if (!this.isCut) return this.#ring.subarray(0, this.#beyond);
    const at = this.#beyond % this.#ring.byteLength;
    const held = new Uint8Array(this.#ring.byteLength);
    held.set(this.#ring.subarray(at));
    held.set(this.#ring.subarray(0, at), this.#ring.byteLength - at);
    return held;
  }
}
