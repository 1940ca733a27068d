const BELL = 0x07;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
export const ESCAPE = 0x1b;

type Reading = 'text' | 'escape' | 'control' | 'string' | 'designation';

/** Does this byte begin something that is not seen: an escape sequence, or the end of a line? */
export function mayHide(byte: number): boolean {
  return byte === ESCAPE || byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

/**
 * Tells what is seen of a terminal's output from what is not: escape sequences (ECMA-48) and line breaks. A sequence that is
 * broken off hides nothing after it, and none reaches over the end of a line.
 */
export class VisibleText {
  #reading: Reading = 'text';

  /** Whether no sequence is under way. */
  get isPlain(): boolean {
    return this.#reading === 'text';
  }

  /** Another text begins. */
  restart(): void {
    this.#reading = 'text';
  }

  /** Whether this byte, the next one of the text, is seen. */
  shows(byte: number): boolean {
    if (byte === ESCAPE) {
      this.#reading = 'escape';
      return false;
    }
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      this.#reading = 'text';
      return false;
    }
    const next = after(this.#reading, byte);
    const shown = next === 'broken' || this.#reading === 'text';
    this.#reading = next === 'broken' ? 'text' : next;
    return shown;
  }
}

function after(reading: Reading, byte: number): Reading | 'broken' {
  const isFinal = byte >= 0x40 && byte <= 0x7e;
  switch (reading) {
    case 'text':
      return 'text';
    case 'escape':
      return afterEscape(byte);
    case 'control':
      return isFinal ? 'text' : byte >= 0x20 && byte <= 0x3f ? 'control' : 'broken';
    case 'string':
      return byte === BELL ? 'text' : 'string';
    case 'designation':
      return byte >= 0x30 && byte <= 0x7e ? 'text' : byte >= 0x20 && byte <= 0x2f ? 'designation' : 'broken';
  }
}

function afterEscape(byte: number): Reading | 'broken' {
  switch (String.fromCharCode(byte)) {
    case '[':
      return 'control';
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      return 'string';
    default:
      return after('designation', byte);
  }
}
