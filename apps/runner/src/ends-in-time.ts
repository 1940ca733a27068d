import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@delta-ci/service';

/** Two million files, the most that a job may have, are deleted in a minute: what takes longer hangs, or is too much. */
export const REMOVAL_MS_MAX = 300_000;

/**
 * Whether a removal ended in time: a runner holds a place of its pool, and does not hold it for ever. One that does not is told and
 * left to itself until this process ends; the next runner in this place tries again. Rejects as it does.
 * @param of what is removed, for the log
 */
export async function endsInTime(
  removal: Promise<void>,
  of: string,
  logger: Logger,
  timeMs = REMOVAL_MS_MAX,
): Promise<boolean> {
  const settled = new AbortController();
  const late = sleep(timeMs, false, { signal: settled.signal });
  try {
    const ended = await Promise.race([removal.then(() => true), late]);
    if (!ended)
      logger.warn({ event: 'removal-not-ended', of, afterMs: timeMs }, 'left to the next runner in this place');
    return ended;
  } finally {
    settled.abort();
  }
}
