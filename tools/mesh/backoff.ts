const FIRST_MS = 250;
/** Longer would keep a mended machine waiting; shorter would burn a core on a service that cannot start. */
const LONGEST_MS = 10_000;

/** Delay in milliseconds before restart number `crashes` (from 1): doubling from 250 ms up to 10 s. */
export function backoffMs(crashes: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, crashes) - 1));
}
