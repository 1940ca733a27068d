import { setTimeout as pause } from 'node:timers/promises';

/** Short enough that a test hardly notices, long enough to leave the processor to what it waits for. */
const FIRST_PAUSE_MS = 5;
/** Probes cost something: after a while they come less often. */
const LONGEST_PAUSE_MS = 100;
/** Far above what anything takes when it works, even with all cores busy; below Jest's limit for a whole test. */
const DEADLINE_MS = 30_000;

/** Nothing yet: what a probe gives while its condition does not hold. */
type NotYet = undefined | null | false;

export interface EventuallyOptions {
  readonly deadline_ms?: number;
}

/**
 * Waits until a condition holds by asking again and again, and gives what the probe found.
 *
 * @param name what is awaited, for the message when it does not come
 * @param probe gives something once the condition holds; until then `undefined`, `null` or `false`, or it throws
 * @throws naming the condition, with what the last probe threw, if the deadline passes first
 */
export async function eventually<T>(
  name: string,
  probe: () => T | NotYet | Promise<T | NotYet>,
  { deadline_ms = DEADLINE_MS }: EventuallyOptions = {},
): Promise<T> {
  const started = performance.now();
  let last: unknown;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() - started > deadline_ms) {
      throw new Error(`not within ${deadline_ms} ms: ${name}`, { cause: last });
    }
    await pause(wait);
  }
}
