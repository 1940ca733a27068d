import { createHash } from 'node:crypto';

const KEPT = 200;

/** Everything that happens in a seed, one line each: the last lines for people, and one digest of all of them. */
export class Trace {
  readonly #digest = createHash('sha256');
  readonly #last: string[] = [];
  #lines = 0;

  note(line: string): void {
    this.#digest.update(line).update('\n');
    this.#last[this.#lines % KEPT] = line;
    this.#lines += 1;
  }

  get lines(): number {
    return this.#lines;
  }

  /** The last 200 lines, oldest first. */
  last(): string[] {
    const from = this.#lines % KEPT;
    return this.#lines <= KEPT ? [...this.#last] : [...this.#last.slice(from), ...this.#last.slice(0, from)];
  }

  /** Ends the trace. */
  digest(): string {
    return this.#digest.digest('hex').slice(0, 32);
  }
}
