import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Trips to the database that many take together: what is asked in one turn of the event loop, or while a trip is under
 * way, travels in the next one. Somebody who asks alone waits for nobody.
 */
export class SharedTrips<Question, Answer> {
  readonly #travel: (questions: readonly Question[]) => Promise<readonly Answer[]>;
  readonly #batchMax: number;
  #waiting: { question: Question; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  #busy = false;

  /**
   * @param travel answers many questions in one statement, in the same order
   * @param batchMax questions per statement: one statement must not hold the connection for long
   */
  constructor(travel: (questions: readonly Question[]) => Promise<readonly Answer[]>, batchMax = 500) {
    this.#travel = travel;
    this.#batchMax = batchMax;
  }

  /** Rejects when the trip failed: whoever asked asks again. */
  async ask(question: Question): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => this.#waiting.push({ question, resolve, reject }));
    if (!this.#busy) void this.#work();
    return answer;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    await nextTurn();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#batchMax);
      try {
        const answers = await this.#travel(batch.map(({ question }) => question));
        batch.forEach(({ resolve, reject }, at) => {
          const answer = answers[at];
          if (answer === undefined) reject(new Error('a question got no answer'));
          else resolve(answer);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
