import type { Committed } from '../database/rows.ts';
import { TIMINGS } from '../world/settings.ts';
import type { Tally } from './tally.ts';

/** After trouble, services come back, elect leaders anew and let go of locks; from then on deadlines are kept. */
export const RECOVERY_MS = 60_000;
/** One sweep may have begun just before, and the next one takes its time. */
export const LATE_MAX_MS = 2 * TIMINGS.sweepIntervalMs + 3_000;

/** 8 and the second half of 9: nothing outlives its deadline by more than a sweep, counted from the end of trouble. */
export class Deadlines {
  readonly #tally: Tally;
  readonly #committed: Committed;

  constructor(tally: Tally, committed: Committed) {
    this.#tally = tally;
    this.#committed = committed;
  }

  /** @param calmSinceMs since when nothing is wrong with the world, by the database's clock */
  look(nowMs: number, calmSinceMs: number): void {
    const overdue = (dueAtMs: number) => nowMs > Math.max(dueAtMs, calmSinceMs + RECOVERY_MS) + LATE_MAX_MS;
    for (const renewal of this.#committed.table('lease_renewal').values()) {
      const dueAtMs = Number(renewal['expires_at_ms']);
      const late = () =>
        `the lease of ${String(renewal['runner_id'])} ran out ${nowMs - dueAtMs} ms ago and is still there`;
      this.#tally.check('8 deadlines', !overdue(dueAtMs), late);
    }
    for (const { run_id, due_at_ms } of this.#committed.table('run_deadline').values()) {
      const late = () => `${String(run_id)} was due ${nowMs - Number(due_at_ms)} ms ago`;
      this.#tally.check('8 deadlines', !overdue(Number(due_at_ms)), late);
    }
    this.#lookAtCancels(overdue, nowMs);
  }

  #lookAtCancels(overdue: (dueAtMs: number) => boolean, nowMs: number): void {
    for (const attempt of this.#committed.table('attempt').values()) {
      if (attempt['state'] !== 'canceling') continue;
      const dueAtMs = Number(attempt['cancel_deadline_at_ms']) + TIMINGS.leaseTtlMs;
      const late = () =>
        `${String(attempt['run_id'])} ${String(attempt['job_key'])} is canceling, ${nowMs - dueAtMs} ms late`;
      this.#tally.check('9 nothing starts after a cancel', !overdue(dueAtMs), late);
    }
  }
}
