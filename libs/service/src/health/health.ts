import type { Logger } from '../logging/create-logger.ts';
import type { Redactor } from '../logging/redaction.ts';

/** Long enough for one round trip to a busy database, short enough for a probe that asks every few seconds. */
const CHECK_TIMEOUT_MS = 2_000;

/** Answers when the thing is usable; throws, with a message for people, when it is not. */
export type Check = (signal: AbortSignal) => Promise<void> | void;

export interface CheckState {
  name: string;
  state: 'ok' | 'failed';
  /** Why it failed. */
  reason?: string;
}

export interface Readiness {
  status: 'ready' | 'not_ready' | 'draining';
  checks: CheckState[];
}

/** Knows whether this process is fit for work: named checks, asked anew each time, and whether it is stopping. */
export class Health {
  readonly #checks = new Map<string, Check>();
  readonly #logger: Logger;
  readonly #redactor: Redactor;
  readonly #checkTimeoutMs: number;
  #draining = false;
  #lastStatus: Readiness['status'] = 'ready';

  constructor(logger: Logger, redactor: Redactor, checkTimeoutMs = CHECK_TIMEOUT_MS) {
    this.#logger = logger;
    this.#redactor = redactor;
    this.#checkTimeoutMs = checkTimeoutMs;
  }

  /** Adds a check to `/readyz`. A name is given once. */
  check(name: string, check: Check): void {
    if (this.#checks.has(name)) throw new Error(`there is already a health check named ${name}`);
    this.#checks.set(name, check);
  }

  /** From now on not ready, whatever the checks say. */
  drain(): void {
    this.#draining = true;
  }

  /** Asks all checks at once, each within its time (2 s unless told otherwise). */
  async readiness(): Promise<Readiness> {
    const checks = await Promise.all([...this.#checks].map(([name, check]) => this.#ask(name, check)));
    const fit = checks.every(({ state }) => state === 'ok');
    const readiness: Readiness = { status: this.#draining ? 'draining' : fit ? 'ready' : 'not_ready', checks };
    this.#noteChange(readiness);
    return readiness;
  }

  /** A probe asks every few seconds; the log wants to know when the answer became another one. */
  #noteChange({ status, checks }: Readiness): void {
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    const failed = checks.filter(({ state }) => state === 'failed');
    this.#logger[status === 'not_ready' ? 'warn' : 'info']({ event: 'readiness-changed', status, failed });
  }

  async #ask(name: string, check: Check): Promise<CheckState> {
    const timeout = AbortSignal.timeout(this.#checkTimeoutMs);
    const late = new Promise<never>((_, reject) => {
      timeout.addEventListener('abort', () => reject(new Error(`no answer within ${this.#checkTimeoutMs} ms`)));
    });
    try {
      await Promise.race([Promise.resolve(check(timeout)), late]);
      return { name, state: 'ok' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { name, state: 'failed', reason: this.#redactor.text(reason) };
    }
  }
}
