import type { RegisterRunnerAnswer } from '@delta-ci/contracts';

/** Renewed when this much of its life has passed: a few failed tries cost nothing. */
const RENEW_SHARE = 1 / 3;
/**
 * Whatever its life seems to be, it is renewed no later than this, and no earlier than that: its end is told by the
 * gateway's clock and our own may be minutes off, so only the time since it came is known for certain.
 */
const RENEW_MS_MAX = 60_000;
const RENEW_MS_MIN = 200;

export interface TokenPorts {
  renew: (token: string) => Promise<RegisterRunnerAnswer>;
  /** Told each new token, so that it is kept out of logs. */
  onRenewed: (token: string) => void;
  /** This host's date, in milliseconds. */
  dateMs: () => number;
  /** A clock that nobody sets. */
  elapsedMs: () => number;
}

/** This runner's own token, renewed long before it runs out. */
export class RunnerToken {
  readonly #ports: TokenPorts;
  #token: string;
  #renewAtMs: number;
  #renewal: Promise<void> | null = null;

  constructor(answer: RegisterRunnerAnswer, ports: TokenPorts) {
    this.#ports = ports;
    this.#token = answer.token;
    this.#renewAtMs = this.#nextRenewal(answer);
  }

  async current(): Promise<string> {
    if (this.#ports.elapsedMs() < this.#renewAtMs) return this.#token;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    await this.#renewal;
    return this.#token;
  }

  /** Without a new one the old one is used: whether it still holds is for the gateway to say. */
  async #renew(): Promise<void> {
    try {
      const answer = await this.#ports.renew(this.#token);
      this.#token = answer.token;
      this.#renewAtMs = this.#nextRenewal(answer);
      this.#ports.onRenewed(answer.token);
    } catch {
      this.#renewAtMs = this.#ports.elapsedMs() + RENEW_MS_MIN;
    }
  }

  #nextRenewal({ tokenExpiresAtMs }: RegisterRunnerAnswer): number {
    const shareMs = (tokenExpiresAtMs - this.#ports.dateMs()) * RENEW_SHARE;
    return this.#ports.elapsedMs() + Math.min(RENEW_MS_MAX, Math.max(RENEW_MS_MIN, shareMs));
  }
}
