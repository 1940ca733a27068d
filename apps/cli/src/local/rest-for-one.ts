interface Turn {
  readonly use: () => Promise<void>;
  readonly over: PromiseWithResolvers<void>;
}

/** Jobs that wait for a moment in which no other is under way but such as wait for the same: then they take turns. */
export class RestForOne {
  readonly #turns: Turn[] = [];
  #asked = Promise.withResolvers<void>();

  /** How many wait. */
  get waiting(): number {
    return this.#turns.length;
  }

  /** Settles as `use` does, which is called when the turn of this one comes. */
  async alone(use: () => Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.#turns.push({ use, over });
    this.#asked.resolve();
    this.#asked = Promise.withResolvers();
    return over.promise;
  }

  /** Settles when the next one begins to wait. */
  async asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Gives the first that waits its turn, and settles when it is over. */
  async giveTurn(): Promise<void> {
    const turn = this.#turns.shift();
    await turn?.use().then(turn.over.resolve, turn.over.reject);
  }
}
