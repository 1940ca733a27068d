/** How bad the network is at the moment, in probabilities per message. */
export interface Weather {
  /** A message, request or reply does not arrive. */
  lose: number;
  /** A delivery or request arrives twice. */
  repeat: number;
  /** A message is held up for seconds. */
  delay: number;
  /** Longest delay of one that is held up. */
  delayMaxMs: number;
  /** Whether no dispatch arrives at the bus. */
  losesDispatches: boolean;
}

export const CALM: Readonly<Weather> = { lose: 0, repeat: 0, delay: 0, delayMaxMs: 0, losesDispatches: false };

/** An ordinary way between two processes. */
export const USUAL_MS = 4;
