/** How far a run is, for whoever waits for it. */

const SECONDS_BETWEEN = 1;
const SEEDS_BETWEEN = 50;

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** On a terminal one line that changes every second, elsewhere a line for every 50 seeds. */
export class Progress {
  readonly #output: Output;
  readonly #seeds: number;
  readonly #seconds: () => number;
  #shownAt = 0;

  /** @param seconds since the run began */
  constructor(output: Output, seeds: number, seconds: () => number) {
    this.#output = output;
    this.#seeds = seeds;
    this.#seconds = seconds;
  }

  show(done: number, failed: number): void {
    const seconds = this.#seconds();
    const isLast = done >= this.#seeds;
    if (this.#output.isTTY === true) {
      if (!isLast && seconds < this.#shownAt + SECONDS_BETWEEN) return;
      this.#shownAt = seconds;
      this.#output.write(`\r\u001b[K${progressText(done, this.#seeds, failed, seconds)}${isLast ? '\n' : ''}`);
    } else if (done % SEEDS_BETWEEN === 0) {
      this.#output.write(`${progressText(done, this.#seeds, failed, seconds)}\n`);
    }
  }
}

/** `350 of 10000 seeds, 0 failed, 7.2 seeds/s, 22 min left` */
export function progressText(done: number, seeds: number, failed: number, seconds: number): string {
  const rate = done / seconds;
  const left = Math.max(0, seeds - done) / rate;
  const shown = left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`;
  return `${done} of ${seeds} seeds, ${failed} failed, ${rate.toFixed(1)} seeds/s, ${shown} left`;
}
