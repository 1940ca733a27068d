import type { Surroundings } from '../surroundings.ts';

/** Often enough to be seen moving, seldom enough not to cost anything. */
const EVERY_MS = 200;
/** Where output is kept, a line now and then shows that somebody is at work. */
const EVERY_KEPT_MS = 10_000;

/**
 * How far something long has come, beside the answer: one line that is overwritten, or, without a terminal, a few lines.
 * Silent where a program reads the answer.
 */
export class Progress {
  readonly #surroundings: Surroundings;
  readonly #silent: boolean;
  #shownAtMs: number;
  #open = false;

  constructor(surroundings: Surroundings, { json }: { readonly json?: boolean }) {
    this.#surroundings = surroundings;
    this.#silent = json === true;
    this.#shownAtMs = surroundings.nowMs();
  }

  /** `text` is made only when it is time to show it. */
  show(text: () => string): void {
    const everyMs = this.#surroundings.columns === null ? EVERY_KEPT_MS : EVERY_MS;
    if (this.#surroundings.nowMs() - this.#shownAtMs >= everyMs) this.#write(text());
  }

  /** Shows what a terminal would not hear again for long, without waiting until it is time. */
  showNow(text: () => string): void {
    if (this.#surroundings.columns !== null) this.#write(text());
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#open) this.#surroundings.err('\r\u001b[K');
    this.#open = false;
  }

  #write(text: string): void {
    if (this.#silent) return;
    const { columns, err, nowMs } = this.#surroundings;
    this.#shownAtMs = nowMs();
    this.#open = columns !== null;
    // A line that wraps cannot be overwritten.
    err(columns === null ? `${text}\n` : `\r${text.slice(0, columns - 1)}\u001b[K`);
  }
}
