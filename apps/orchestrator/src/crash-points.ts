/**
 * Where a crash of the orchestrator would be worst: between two things that belong together. `DELTA_CRASH_AT` names one
 * to die at; only tests of faults do that.
 */
export const CRASH_POINTS = [
  /** Everything is loaded and locked, nothing is decided. */
  'before-decide',
  /** Events and projections are sent to the database, the commit is not. */
  'before-commit',
  /** It is committed, and nobody knows. */
  'after-commit',
  /** Attempts are queued in the log, and not yet before their pools. */
  'before-dispatch',
  /** A command is decided and recorded, its answer is not sent. */
  'before-reply',
  /** A report is decided and recorded, its message is not acknowledged. */
  'before-ack',
  /** Some events of a batch are on the bus, others are not. */
  'mid-relay',
  /** A dispatch message is in hand, its grant is not decided. */
  'before-grant',
  /** The grant is in the log, the dispatch message is not acknowledged, the runner knows nothing. */
  'after-grant',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];
/** Told at every point that is reached; dies there when that was ordered. */
export type ReachedPoint = (point: CrashPoint) => void;
