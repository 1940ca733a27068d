import { stripVTControlCharacters, styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Where the text of an event begins; what belongs to it is indented as far. */
const INDENT = 10;
/** Longer lines are hard to read, and where there is no terminal none says how wide it is. */
const COLUMNS_MAX = 120;

/** What the person in front of the terminal sees. Styles only where there is a terminal that wants them. */
export class Screen {
  readonly #styled: boolean;
  readonly #started = performance.now();

  constructor(options: { headless: boolean }) {
    this.#styled = !options.headless && process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  }

  style(style: Style, text: string): string {
    return this.#styled ? styleText(style, text) : text;
  }

  title(text: string): void {
    this.line(`\n${this.style('bold', text)}`);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** A line with the time since the start in front. */
  event(text: string): void {
    const seconds = ((performance.now() - this.#started) / 1_000).toFixed(1).padStart(6);
    this.line(`${this.style('dim', `${seconds} s`)}  ${this.#wrapped(text)}`);
  }

  /** A line of what belongs to the event before. */
  detail(text: string): void {
    this.line(`${' '.repeat(INDENT)}${this.#wrapped(text)}`);
  }

  /** Broken between words; what follows is indented two further than the text itself. */
  #wrapped(text: string): string {
    const room = Math.min(process.stdout.columns || COLUMNS_MAX, COLUMNS_MAX) - INDENT;
    const hanging = ' '.repeat(text.length - text.trimStart().length + 2);
    const lines = [''];
    for (const word of text.split(/(?<=\S) /u)) {
      const line = lines.at(-1) ?? '';
      const longer = line === '' ? word : `${line} ${word}`;
      if (line === '' || stripVTControlCharacters(longer).length <= room) lines[lines.length - 1] = longer;
      else lines.push(`${hanging}${word}`);
    }
    return lines.join(`\n${' '.repeat(INDENT)}`);
  }

  outcome(outcome: string | null): string {
    if (outcome === 'succeeded') return this.style('green', outcome);
    if (outcome === 'skipped') return this.style('dim', outcome);
    return outcome === null ? '' : this.style('red', outcome);
  }
}
