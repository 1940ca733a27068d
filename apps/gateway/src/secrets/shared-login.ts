/** What a store gave for a proof of who the gateway is. */
export interface Login {
  readonly token: string;
  /** How long it holds; infinite when it does not end by itself. */
  readonly holdsMs: number;
}

interface Held {
  readonly token: Promise<string>;
  /** What the login gave; null while it is under way. */
  value: string | null;
  untilMs: number;
}

/** A token is good for this share of its time; then another one is asked for. */
const SHARE_OF_LIFE = 0.8;

/** One login at a store for all who need one, also for those who come while it is under way. */
export class SharedLogin {
  readonly #logIn: () => Promise<Login>;
  readonly #nowMs: () => number;
  #held: Held | null = null;

  /** @param logIn has an end of its own: nobody who waits for it can end it for the others */
  constructor(logIn: () => Promise<Login>, nowMs: () => number) {
    this.#logIn = logIn;
    this.#nowMs = nowMs;
  }

  /**
   * The token of the login.
   * @throws what logging in fails with, or the signal's reason
   */
  async token(signal: AbortSignal): Promise<string> {
    // Before one is begun: nobody would hear how it fails.
    signal.throwIfAborted();
    if (this.#held === null || this.#nowMs() >= this.#held.untilMs) this.#held = this.#begin();
    return within(this.#held.token, signal);
  }

  /** Another login is made for whoever asks next, unless that has been done already: one under way gave nobody this token. */
  drop(token: string): void {
    if (this.#held?.value === token) this.#held = null;
  }

  #begin(): Held {
    const held: Held = { token: this.#complete(() => held), value: null, untilMs: Infinity };
    return held;
  }

  async #complete(own: () => Held): Promise<string> {
    try {
      const { token, holdsMs } = await this.#logIn();
      Object.assign(own(), { value: token, untilMs: this.#nowMs() + holdsMs * SHARE_OF_LIFE });
      return token;
    } catch (error) {
      if (this.#held === own()) this.#held = null;
      throw error;
    }
  }
}

/** @throws the signal's reason when it is raised first */
async function within<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([result, over]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
