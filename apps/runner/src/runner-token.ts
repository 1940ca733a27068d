import type { RegisterRunnerAnswer } from '@delta-ci/contracts';

/** Renewed when this much of its life is left: a few failed tries cost nothing. */
const RENEW_SHARE = 1 / 3;

/** This runner's own token, renewed before it runs out. */
export class RunnerToken {
  readonly #renew: (token: string) => Promise<RegisterRunnerAnswer>;
  readonly #nowMs: () => number;
  #answer: RegisterRunnerAnswer;
  #lifeMs: number;

  constructor(
    answer: RegisterRunnerAnswer,
    renew: (token: string) => Promise<RegisterRunnerAnswer>,
    nowMs: () => number,
  ) {
    this.#renew = renew;
    this.#nowMs = nowMs;
    this.#answer = answer;
    this.#lifeMs = answer.tokenExpiresAtMs - nowMs();
  }

  async current(): Promise<string> {
    const leftMs = this.#answer.tokenExpiresAtMs - this.#nowMs();
    if (leftMs > this.#lifeMs * RENEW_SHARE) return this.#answer.token;
    try {
      this.#answer = await this.#renew(this.#answer.token);
      this.#lifeMs = this.#answer.tokenExpiresAtMs - this.#nowMs();
    } catch (error) {
      // A token that still holds is good enough; the next call tries to renew it again.
      if (leftMs <= 0) throw error;
    }
    return this.#answer.token;
  }
}
