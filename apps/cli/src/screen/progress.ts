import type { Surroundings } from '../surroundings.ts';

/** Often enough to be seen moving, seldom enough not to cost anything. */
const EVERY_MS = 200;
/** Where output is kept, a line now and then shows that somebody is at work. */
const EVERY_KEPT_MS = 10_000;

/** How far something long has come, beside the answer: one line that is overwritten, or, without a terminal, a few lines. */
export class Progress {
  readonly #surroundings: Surroundings;
  readonly #silent: boolean;
  #shownAtMs: number;
  #open = false;

  constructor(surroundings: Surroundings, silent: boolean) {
    this.#surroundings = surroundings;
    this.#silent = silent;
    this.#shownAtMs = surroundings.nowMs();
  }

  show(done: number, all: number): void {
    const { columns, err, nowMs } = this.#surroundings;
    const now = nowMs();
    if (this.#silent || now - this.#shownAtMs < (columns === null ? EVERY_KEPT_MS : EVERY_MS)) return;
    this.#shownAtMs = now;
    const text = `${done} of ${all} records (${Math.floor((done / Math.max(1, all)) * 100)} %)`;
    this.#open = columns !== null;
    err(columns === null ? `${text}\n` : `\r${text}\u001b[K`);
  }

  /** Takes the line away again. */
  end(): void {
    if (this.#open) this.#surroundings.err('\r\u001b[K');
    this.#open = false;
  }
}
