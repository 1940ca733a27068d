import { createHash } from 'node:crypto';

const KEPT = 200;
/** Lines are hashed together: handing each of them to the hash by itself costs more than hashing it. */
const HASHED_CHARACTERS_MIN = 32_768;

/** Everything that happens in a seed, one line each: the last lines for people, and one digest of all of them. */
export class Trace {
  readonly #digest = createHash('sha256');
  readonly #last: string[] = [];
  #lines = 0;
  #unhashed = '';

  note(line: string): void {
    this.#unhashed += `${line}\n`;
    if (this.#unhashed.length >= HASHED_CHARACTERS_MIN) this.#hash();
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
    this.#hash();
    return this.#digest.digest('hex').slice(0, 32);
  }

  #hash(): void {
    this.#digest.update(this.#unhashed);
    this.#unhashed = '';
  }
}
