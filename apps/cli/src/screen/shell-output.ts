const ESC = '\u001b';
const BEL = '\u0007';
/** Whoever is asked so answers in place of the person. */
const ENQUIRY = '\u0005';
/** Both end a sequence wherever it is. */
const CANCELS = new Set(['\u0018', '\u001a']);
/** What follows an escape where text for the terminal itself begins: titles, the clipboard, links, settings to be told. */
const STRING_OPENERS = new Set('P]X^_');
/** What follows an escape where the encoding changes: parts of letters would be control characters then. */
const ENCODING_OPENERS = new Set('% ');
/** Longer than any that means something, in characters. */
const SEQUENCE_LENGTH_MAX = 64;
/** Whoever never ends a string is not listened to for longer. */
const STRING_LENGTH_MAX = 64 * 1024;
/**
 * Print; ask for or change the window; test, or ask for a sum of what is shown. An answer, with the title of the window or a number of
 * the asker's choice in it, would be typed into whatever reads next.
 */
const BARRED_FINALS = new Set('ity');
/** Sets modes, or takes them back. */
const MODES_SET = new RegExp(`^${ESC}\\[\\?(?<modes>[0-9;]*)(?<final>[hl])$`, 'u');
/** Each of them, by its number, changes to the other screen, which is without lines above. */
const OTHER_SCREEN_MODES = ['47', '1047', '1049'];
const RESET = `${ESC}c`;

type State = 'text' | 'escape' | 'encoding' | 'sequence' | 'string' | 'string-escape';

/**
 * What a shell in a sandbox shows, on its way to somebody's terminal. Colours, cursor and screen are the shell's to command. What
 * would reach further is left out: titles, clipboard, links, printers, other encodings, and questions whose answer the other side
 * words. It is UTF-8: for bytes that are none there is the replacement character.
 */
export class ShellOutput {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #state: State = 'text';
  #held = '';
  #stringLength = 0;
  #onOtherScreen = false;

  /**
   * Undoes what a program may have left: the other screen, keys, reports, a hidden cursor, colours. The other screen is left only by
   * whoever is on it: otherwise some terminals still put the cursor where it was when somebody went there.
   */
  get undoing(): string {
    const screen = this.#onOtherScreen ? `${KEYS_AS_THEY_WERE}${ESC}[?1049l` : '';
    return `${screen}${KEYS_AS_THEY_WERE}${ESC}[>4m${REPORTS_OFF}${ESC}[?25h${ESC}[!p${ESC}[0m\r`;
  }

  /** The part of it that may be shown; what is not whole yet comes with a later part. */
  take(chunk: Uint8Array): Uint8Array {
    const shown: string[] = [];
    for (const character of this.#decoder.decode(chunk, { stream: true })) this.#next(character, shown);
    return Buffer.from(shown.join(''));
  }

  #next(character: string, shown: string[]): void {
    switch (this.#state) {
      case 'text':
        if (character === ESC) this.#hold('escape', character);
        else if (character !== ENQUIRY && !isBetween(character, '\u0080', '\u009f')) shown.push(character);
        return;
      case 'escape':
        if (STRING_OPENERS.has(character)) this.#beginString();
        else if (character === '[') this.#hold('sequence', character);
        else if (ENCODING_OPENERS.has(character)) this.#hold('encoding', character);
        else if (isBetween(character, ' ', '~')) this.#release(character, shown);
        else this.#startOver(character, shown);
        return;
      case 'encoding':
        if (isBetween(character, '0', '~')) this.#drop();
        else if (!isBetween(character, ' ', '/')) this.#startOver(character, shown);
        return;
      case 'sequence':
        this.#inSequence(character, shown);
        return;
      case 'string':
        this.#inString(character);
        return;
      case 'string-escape':
        this.#drop();
        if (character === '\\') return;
        this.#hold('escape', ESC);
        this.#next(character, shown);
    }
  }

  #inSequence(character: string, shown: string[]): void {
    if (isBetween(character, '@', '~') && !BARRED_FINALS.has(character)) this.#release(character, shown);
    else if (isBetween(character, ' ', '?') && this.#held.length < SEQUENCE_LENGTH_MAX) this.#held += character;
    else if (isBetween(character, ' ', '~')) this.#drop();
    else if (character === ESC || character > '\u007f' || CANCELS.has(character)) this.#startOver(character, shown);
    else if (character !== ENQUIRY) shown.push(character);
  }

  #inString(character: string): void {
    this.#stringLength += 1;
    if (character === ESC) this.#state = 'string-escape';
    else if (character === BEL || CANCELS.has(character) || this.#stringLength > STRING_LENGTH_MAX) this.#drop();
  }

  #beginString(): void {
    this.#held = '';
    this.#stringLength = 0;
    this.#state = 'string';
  }

  #hold(state: State, character: string): void {
    this.#held += character;
    this.#state = state;
  }

  /** What was held is harmless, and ends with this. */
  #release(character: string, shown: string[]): void {
    const whole = `${this.#held}${character}`;
    this.#followScreen(whole);
    shown.push(whole);
    this.#drop();
  }

  #followScreen(sequence: string): void {
    const { modes, final } = MODES_SET.exec(sequence)?.groups ?? {};
    if (modes?.split(';').some((mode) => OTHER_SCREEN_MODES.includes(mode)) === true)
      this.#onOtherScreen = final === 'h';
    if (sequence === RESET) this.#onOtherScreen = false;
  }

  #startOver(character: string, shown: string[]): void {
    this.#drop();
    this.#next(character, shown);
  }

  #drop(): void {
    this.#held = '';
    this.#state = 'text';
  }
}

const isBetween = (character: string, first: string, last: string): boolean => character >= first && character <= last;

/** Of what was pushed, each screen has its own. */
const KEYS_AS_THEY_WERE = `${ESC}[<99u`;
/** What is told unasked, of the mouse, the focus, the colours and the size; marks around what is pasted; a picture that waits. */
const REPORTS_OFF = `${ESC}[?9;1000;1001;1002;1003;1004;1006;1015;1016;2004;2026;2031;2048l`;
