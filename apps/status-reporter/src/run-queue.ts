import type { RunId } from '@delta-ci/contracts';

/** What made a run worth a look: goes with what the look leads to. */
export interface LookCause {
  /** Id of the event, or of the sweep. */
  causation: string;
  traceparent: string | null;
}

export interface RunQueueOptions {
  /** Looks at one run; answers after how many milliseconds it wants to look again, or null when all is done. */
  look: (runId: RunId, cause: LookCause) => Promise<number | null>;
  /** Least time between the beginnings of two looks at a run. */
  coalesceMs: number;
  /** Runs looked at side by side. */
  concurrency: number;
  nowMs: () => number;
}

interface Entry {
  cause: LookCause;
  /** Null: nothing is wanted. */
  dueAtMs: number | null;
  lastLookAtMs: number;
  looking: boolean;
  timer: NodeJS.Timeout | null;
}

/**
 * Runs that want a look: at most one look at a run at a time, and any number of wishes meanwhile lead to one more.
 * Wishes are only in memory; what a crash forgets, the next sweep finds.
 */
export class RunQueue {
  readonly #options: RunQueueOptions;
  readonly #entries = new Map<RunId, Entry>();
  readonly #ready = new Set<RunId>();
  readonly #looks = new Set<Promise<void>>();
  #closed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
  }

  /** Wants a look at this run: at once when `urgent`, otherwise not sooner than `coalesceMs` after the last one. */
  want(runId: RunId, cause: LookCause, urgent = false): void {
    const { nowMs, coalesceMs } = this.#options;
    const entry = this.#entryOf(runId, cause);
    entry.cause = cause;
    const dueAtMs = urgent ? nowMs() : Math.max(nowMs(), entry.lastLookAtMs + coalesceMs);
    this.#schedule(runId, entry, Math.min(dueAtMs, entry.dueAtMs ?? Number.POSITIVE_INFINITY));
  }

  /** Wants nothing more, and resolves when the looks under way have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready.clear();
    for (const { timer } of this.#entries.values()) if (timer !== null) clearTimeout(timer);
    await Promise.all(this.#looks);
  }

  #entryOf(runId: RunId, cause: LookCause): Entry {
    let entry = this.#entries.get(runId);
    if (entry === undefined) {
      entry = { cause, dueAtMs: null, lastLookAtMs: Number.NEGATIVE_INFINITY, looking: false, timer: null };
      this.#entries.set(runId, entry);
    }
    return entry;
  }

  #schedule(runId: RunId, entry: Entry, dueAtMs: number): void {
    if (this.#closed) return;
    entry.dueAtMs = dueAtMs;
    if (entry.looking) return;
    if (entry.timer !== null) clearTimeout(entry.timer);
    const waitMs = dueAtMs - this.#options.nowMs();
    entry.timer = setTimeout(() => this.#offer(runId), Math.max(0, waitMs));
  }

  #offer(runId: RunId): void {
    this.#ready.add(runId);
    this.#fill();
  }

  #fill(): void {
    for (const runId of this.#ready) {
      if (this.#closed || this.#looks.size >= this.#options.concurrency) return;
      this.#ready.delete(runId);
      const look = this.#look(runId);
      this.#looks.add(look);
      void look.finally(() => {
        this.#looks.delete(look);
        this.#fill();
      });
    }
  }

  async #look(runId: RunId): Promise<void> {
    const entry = this.#entries.get(runId);
    if (entry === undefined || entry.looking) return;
    const { look, nowMs, coalesceMs } = this.#options;
    Object.assign(entry, { looking: true, dueAtMs: null, lastLookAtMs: nowMs(), timer: null });
    const againInMs = await look(runId, entry.cause);
    entry.looking = false;
    const againAtMs = againInMs === null ? Number.POSITIVE_INFINITY : nowMs() + againInMs;
    const dueAtMs = Math.min(againAtMs, entry.dueAtMs ?? Number.POSITIVE_INFINITY);
    if (dueAtMs !== Number.POSITIVE_INFINITY) this.#schedule(runId, entry, dueAtMs);
    else this.#forgetLater(runId, entry, coalesceMs);
  }

  /** The time of the last look is needed for as long as it may hold up the next one. */
  #forgetLater(runId: RunId, entry: Entry, afterMs: number): void {
    if (this.#closed) return;
    entry.timer = setTimeout(() => this.#entries.delete(runId), afterMs);
  }
}
