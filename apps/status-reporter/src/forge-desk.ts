import type { ForgeFailure, GitHubChecks } from '@delta-ci/forge';
import { backoffMs, type BackoffPolicy } from '@delta-ci/service';

/** Failures in a row, of whatever runs, after which a forge as a whole counts as away. */
const FAILURES_UNTIL_AWAY = 5;
/** A token that does not work is tried again now and then: it may have been given its right at the forge. */
const UNAUTHORISED_PAUSE_MS = 60_000;

/** What is asked of a forge. */
export type ChecksClient = Pick<GitHubChecks, 'create' | 'update' | 'list'>;

/** One forge and whether it may be asked now: one forge's limits and troubles hold for all its runs. */
export class ForgeDesk {
  readonly name: string;
  /** Null when there is no token: nothing can be published. */
  readonly checks: ChecksClient | null;
  readonly #backoff: BackoffPolicy;
  #closedUntilMs = 0;
  #failures = 0;

  constructor(name: string, checks: ChecksClient | null, backoff: BackoffPolicy) {
    this.name = name;
    this.checks = checks;
    this.#backoff = backoff;
  }

  /** When the forge may be asked again; in the past when it may be now. */
  get closedUntilMs(): number {
    return this.#closedUntilMs;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(failure: ForgeFailure, nowMs: number): void {
    if (failure.kind === 'rate_limited') this.#close(nowMs + failure.retryAfterMs);
    if (failure.kind === 'unauthorised') this.#close(nowMs + UNAUTHORISED_PAUSE_MS);
    if (failure.kind !== 'unavailable') return;
    this.#failures += 1;
    const beyond = this.#failures - FAILURES_UNTIL_AWAY;
    if (beyond >= 0) this.#close(nowMs + backoffMs(this.#backoff, beyond + 1, 1));
  }

  #close(untilMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, untilMs);
  }
}
