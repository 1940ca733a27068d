/** Heartbeats that arrive while a renewal is under way travel together in the next one. */
export class HeartbeatDesk<Beat, Answer> {
  readonly #renew: (beats: readonly Beat[]) => Promise<readonly Answer[]>;
  readonly #batchMax: number;
  #waiting: { beat: Beat; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  #busy = false;

  /**
   * @param renew renews many leases in one statement and answers in the same order
   * @param batchMax heartbeats per statement: one statement must not hold the connection for long
   */
  constructor(renew: (beats: readonly Beat[]) => Promise<readonly Answer[]>, batchMax = 500) {
    this.#renew = renew;
    this.#batchMax = batchMax;
  }

  /** Rejects when the renewal failed: the runner repeats its heartbeat. */
  async beat(beat: Beat): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => this.#waiting.push({ beat, resolve, reject }));
    if (!this.#busy) void this.#work();
    return answer;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#batchMax);
      try {
        const answers = await this.#renew(batch.map(({ beat }) => beat));
        batch.forEach(({ resolve, reject }, at) => {
          const answer = answers[at];
          if (answer === undefined) reject(new Error('a heartbeat got no answer'));
          else resolve(answer);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
