/** One thing that is looked for again and again. Answers how much it found, so that a full catch is followed by another. */
export interface Sweep {
  name: string;
  /** Handles at most `limit` findings. @returns how many there were */
  run: (limit: number) => Promise<number>;
}

/** One sweep's share of a round: bounded, so that a backlog of one kind does not delay the others. */
const LIMIT = 200;

/**
 * Level-triggered timers: what is due is found by the database's clock, so it does not matter who looks, how often, or
 * how late. A sweep that fails is told and tried again in the next round.
 */
export class Sweeper {
  readonly #sweeps: readonly Sweep[];
  readonly #intervalMs: number;
  readonly #onTrouble: (sweep: string, error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #again = false;
  #sweeping = false;
  #open = true;

  constructor(sweeps: readonly Sweep[], intervalMs: number, onTrouble: (sweep: string, error: unknown) => void) {
    this.#sweeps = sweeps;
    this.#intervalMs = intervalMs;
    this.#onTrouble = onTrouble;
  }

  start(): void {
    this.soon();
  }

  /** Sweeps now instead of at the end of the interval; one round at a time. */
  soon(): void {
    if (!this.#open) return;
    if (this.#sweeping) {
      this.#again = true;
      return;
    }
    this.#round = this.#sweep();
  }

  /** Ends after the round under way. */
  async close(): Promise<void> {
    this.#open = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  async #sweep(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#sweeping = true;
    let full = false;
    for (const sweep of this.#sweeps) full = (await this.#runOne(sweep)) || full;
    this.#sweeping = false;
    if (!this.#open) return;
    const soon = full || this.#again;
    this.#again = false;
    this.#timer = setTimeout(() => this.soon(), soon ? 0 : this.#intervalMs);
  }

  async #runOne(sweep: Sweep): Promise<boolean> {
    try {
      return (await sweep.run(LIMIT)) >= LIMIT;
    } catch (error) {
      this.#onTrouble(sweep.name, error);
      return false;
    }
  }
}
