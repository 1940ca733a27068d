import { setTimeout as delay } from 'node:timers/promises';

/** Asks `holds` again and again, a few milliseconds apart, until it says yes or `deadlineMs` passed; the last answer. */
export async function waitUntil(holds: () => boolean | Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + deadlineMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    if (await holds()) return true;
    if (performance.now() >= giveUpAt) return false;
    await delay(pauseMs);
  }
}
