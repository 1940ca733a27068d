import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A machine that stalls this often in a row is no place to test anything that has a clock. */
const ATTEMPTS_MAX = 5;
/** How often the process checks that it is awake: well below any stall worth noticing. */
const RESOLUTION_MS = 10;

/**
 * For what holds only while this process gets to run, such as signs of life sent in time: makes the attempt, and makes
 * it again when the machine kept this process from running meanwhile, because then what it found tells of the machine.
 *
 * @param stallMsMax the longest pause of this process that cannot change what the attempt finds
 * @param attempt may be made several times, one after the other, so it uses names and messages of its own
 * @returns what the first undisturbed attempt found
 * @throws when every attempt was disturbed
 */
export async function undisturbed<T>(stallMsMax: number, attempt: () => Promise<T>): Promise<T> {
  for (let made = 1; made <= ATTEMPTS_MAX; made += 1) {
    const awake = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    awake.enable();
    const found = await attempt();
    awake.disable();
    if (awake.max / 1e6 < stallMsMax) return found;
  }
  throw new Error(`this process was kept from running for over ${stallMsMax} ms in each of ${ATTEMPTS_MAX} attempts`);
}
