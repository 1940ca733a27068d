import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffPolicy {
  /** Upper bound of the first wait, in milliseconds; it doubles with every failure. */
  initialMs: number;
  /** Upper bound of every wait, in milliseconds. */
  capMs: number;
}

export interface RetryOptions extends BackoffPolicy {
  /** How often to try in all, the first time included; forever when not given. */
  attemptsMax?: number;
  /** Ends the waiting and the trying. */
  signal?: AbortSignal;
  /** Failures that waiting cannot cure are passed on at once; everything is retried when not given. */
  isRetryable?: (error: unknown) => boolean;
  /** How long to wait at least after such a failure, in milliseconds: whoever failed may have said so. */
  leastWaitMs?: (error: unknown) => number;
  /** Told before each wait: for the log. */
  onRetry?: (retry: { attempt: number; waitMs: number; error: unknown }) => void;
  /** 0 <= value < 1. Given by tests; `Math.random` otherwise. */
  random?: () => number;
  /** Given by tests; a timer otherwise. Rejects when the signal aborts. */
  wait?: (waitMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * Exponential back-off with full jitter: any wait between 0 and the doubling bound. Those who failed together come back
 * spread out, which a fixed or half-jittered wait does not achieve. `attempt` counts failures so far, from 1.
 */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number): number {
  // 2^30 is beyond every cap; more would leave the range of exact numbers.
  const bound = Math.min(policy.capMs, policy.initialMs * 2 ** Math.min(attempt - 1, 30));
  return Math.floor(random * bound);
}

/**
 * Does `work` until it succeeds. Throws the last failure when attempts are used up or the failure is not retryable, and
 * the signal's reason when aborted.
 */
export async function retryWithBackoff<T>(options: RetryOptions, work: (attempt: number) => Promise<T>): Promise<T> {
  const { attemptsMax = Number.POSITIVE_INFINITY, signal, isRetryable = () => true, random = Math.random } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attemptsMax || !isRetryable(error)) throw error;
      const waitMs = Math.max(backoffMs(options, attempt, random()), options.leastWaitMs?.(error) ?? 0);
      options.onRetry?.({ attempt, waitMs, error });
      await (options.wait ?? timer)(waitMs, signal);
    }
  }
}

async function timer(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
