/** Resolves with the first of what was waited for, and lets go of the rest: each gets a signal that then aborts. */
export async function waitForAny(...waits: readonly ((signal: AbortSignal) => Promise<unknown>)[]): Promise<void> {
  const enough = new AbortController();
  try {
    await Promise.race(waits.map((wait) => wait(enough.signal)));
  } finally {
    enough.abort();
  }
}

/** Resolves when the signal aborts or the time is over. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    resolve();
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  return promise;
}
