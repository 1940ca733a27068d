const ESC = 0x1b;
const BEL = 0x07;
const BACKSLASH = 0x5c;
/** Both end a sequence wherever it is. */
const CANCELS = new Set([0x18, 0x1a]);
/** What follows an escape where text for the terminal itself begins: titles, the clipboard, links, settings to be told. */
const STRING_OPENERS = new Set(Buffer.from('P]X^_'));
/** First byte of those control characters in UTF-8 that some terminals take for sequences as well. */
const C1_LEAD = 0xc2;
/** Longer than any that means something. */
const SEQUENCE_BYTES_MAX = 64;
/** Whoever never ends a string is not listened to for longer. */
const STRING_BYTES_MAX = 64 * 1024;
/** Asks for or changes the window: the answer, its title among them, would be typed into whatever reads next. */
const WINDOW_FINAL = 't'.charCodeAt(0);

type State = 'text' | 'escape' | 'sequence' | 'string' | 'string-escape' | 'c1';

/**
 * What a shell in a sandbox shows, on its way to somebody's terminal. Colours, cursor and screen are the shell's to command. What
 * would reach further is left out: titles, clipboard, links, and questions whose answer the other side words.
 */
export class ShellOutput {
  #state: State = 'text';
  #held: number[] = [];
  #stringBytes = 0;

  /** The part of it that may be shown; what is not whole yet comes with a later part. */
  take(chunk: Uint8Array): Uint8Array {
    const shown: number[] = [];
    for (const byte of chunk) this.#next(byte, shown);
    return Uint8Array.from(shown);
  }

  #next(byte: number, shown: number[]): void {
    switch (this.#state) {
      case 'text':
        if (byte === ESC) this.#hold('escape', byte);
        else if (byte === C1_LEAD) this.#hold('c1', byte);
        else shown.push(byte);
        return;
      case 'c1':
        // A control character of two bytes is no text of anybody's.
        if (byte >= 0x80 && byte <= 0x9f) this.#drop();
        else this.#release(shown, byte, byte >= 0xa0 && byte <= 0xbf);
        return;
      case 'escape':
        if (STRING_OPENERS.has(byte)) this.#beginString();
        else if (byte === 0x5b) this.#hold('sequence', byte);
        else if (byte >= 0x20 && byte < 0x7f) this.#release(shown, byte, true);
        else this.#startOver(byte, shown);
        return;
      case 'sequence':
        this.#inSequence(byte, shown);
        return;
      case 'string':
        this.#inString(byte);
        return;
      case 'string-escape':
        this.#drop();
        if (byte === BACKSLASH) return;
        this.#hold('escape', ESC);
        this.#next(byte, shown);
    }
  }

  #inSequence(byte: number, shown: number[]): void {
    if (byte >= 0x40 && byte < 0x7f && byte !== WINDOW_FINAL) this.#release(shown, byte, true);
    else if (byte >= 0x20 && byte < 0x40 && this.#held.length < SEQUENCE_BYTES_MAX) this.#held.push(byte);
    else if (byte >= 0x20 && byte < 0x7f) this.#drop();
    else if (byte === ESC || byte > 0x7f || CANCELS.has(byte)) this.#startOver(byte, shown);
    else shown.push(byte);
  }

  #inString(byte: number): void {
    this.#stringBytes += 1;
    if (byte === ESC) this.#state = 'string-escape';
    else if (byte === BEL || CANCELS.has(byte) || this.#stringBytes > STRING_BYTES_MAX) this.#drop();
  }

  #beginString(): void {
    this.#held = [];
    this.#stringBytes = 0;
    this.#state = 'string';
  }

  #hold(state: State, byte: number): void {
    this.#held.push(byte);
    this.#state = state;
  }

  /** What was held is harmless; `byte` goes with it, or may begin something itself. */
  #release(shown: number[], byte: number, belongs: boolean): void {
    shown.push(...this.#held);
    if (!belongs) return this.#startOver(byte, shown);
    shown.push(byte);
    this.#drop();
  }

  #startOver(byte: number, shown: number[]): void {
    this.#drop();
    this.#next(byte, shown);
  }

  #drop(): void {
    this.#held = [];
    this.#state = 'text';
  }
}

/** Undoes what a program may have left: another screen, a hidden cursor, colours, reports of the mouse, marks around what is pasted. */
export const TERMINAL_AS_IT_WAS =
  '\u001b[?1049l\u001b[?1000;1002;1003;1004;1006;1015;2004l\u001b[?25h\u001b[!p\u001b[0m\r';
