import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

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
    this.line(`${this.style('dim', `${seconds} s`)}  ${text}`);
  }

  outcome(outcome: string | null): string {
    if (outcome === 'succeeded') return this.style('green', outcome);
    if (outcome === 'skipped') return this.style('dim', outcome);
    return outcome === null ? '' : this.style('red', outcome);
  }
}
