import type { RunnerId } from '@delta-ci/contracts';

/** One runner that a provisioner made. */
export interface ProvisionedRunner {
  /** Unique for ever: the name it registers under. */
  name: string;
  /** Known once it registered. */
  runnerId: RunnerId | null;
  /** Told to take no further lease. */
  retiring: boolean;
}

/** How a runner ended. */
export interface RunnerEnd {
  name: string;
  /** Null when it ended before it registered: a failed start. */
  runnerId: RunnerId | null;
  exitCode: number | null;
  signal: string | null;
}

/**
 * Makes runners and ends them.
 *
 * **Lifecycle.** `start` brings one runner into being; it counts as starting until it registered, and every runner that
 * was started ends exactly once with `onEnd`, also one that never got ready. `retire` means "no further lease, then
 * exit" and never takes a job away. `close` ends them all, jobs handed back, and resolves when they are gone.
 *
 * **Isolation.** Each runner has a directory of its own; what one leaves behind is reaped by the next in the same place.
 *
 * **Concurrency.** All calls may overlap. A provisioner decides nothing: bounds and back-off are its caller's.
 */
export interface Provisioner {
  start: () => void;
  retire: (name: string) => void;
  runners: () => readonly ProvisionedRunner[];
  close: () => Promise<void>;
}
