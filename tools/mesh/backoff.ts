/** The second time in a row; after a single crash nothing is known that waiting would improve. */
const SECOND_MS = 250;
/** Longer would keep a mended machine waiting; shorter would burn a core on a service that cannot start. */
const LONGEST_MS = 10_000;

/** Delay in milliseconds before restart number `crashes` (from 1): none at first, then doubling from 250 ms up to 10 s. */
export function backoffMs(crashes: number): number {
  return crashes <= 1 ? 0 : Math.min(LONGEST_MS, SECOND_MS * 2 ** (crashes - 2));
}
