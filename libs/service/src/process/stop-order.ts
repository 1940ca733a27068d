import { setTimeout as sleep } from 'node:timers/promises';
import type { Health } from '../health/health.ts';
import type { Logger } from '../logging/create-logger.ts';

/** Past the deadline each resource still gets this long to close: connections cut off mid-word cost their peers more. */
const LATE_CLOSE_MS = 500;

/** Gives back a resource. `deadline` aborts when the grace period is over: then only cutting off is left. */
export type Close<T> = (resource: T, deadline: AbortSignal) => Promise<void> | void;

/** Finishes or hands back work. `deadline` aborts when the grace period is over. */
export type Finish = (deadline: AbortSignal) => Promise<void> | void;

export interface StopTimes {
  graceMs: number;
  delayMs: number;
}

interface Opened {
  name: string;
  close: (deadline: AbortSignal) => Promise<void> | void;
}

/**
 * What was opened, in which order, and how it ends: not ready -> wait for load balancers -> stop intake -> finish or hand
 * back work (everything at once) -> close in reverse order of opening. Bounded in time at every step; what did not make it
 * is named.
 */
export class StopOrder {
  readonly #logger: Logger;
  readonly #health: Health;
  readonly #times: StopTimes;
  readonly #intake = new AbortController();
  readonly #opened: Opened[] = [];
  readonly #finishers: { name: string; finish: Finish }[] = [];
  readonly #unfinished: string[] = [];
  #stopped: Promise<string[]> | undefined;

  constructor(logger: Logger, health: Health, times: StopTimes) {
    this.#logger = logger;
    this.#health = health;
    this.#times = times;
  }

  /** Aborts when no new work may be taken. */
  get stopping(): AbortSignal {
    return this.#intake.signal;
  }

  /** Opens a resource and remembers how to close it. Refuses, by throwing, once stopping has begun. */
  async open<T>(name: string, open: () => Promise<T> | T, close: Close<T>): Promise<T> {
    this.#intake.signal.throwIfAborted();
    const resource = await open();
    if (this.#stopped !== undefined) {
      await close(resource, AbortSignal.abort());
      throw new Error(`stopped while ${name} was being opened`);
    }
    this.#opened.push({ name, close: (deadline) => close(resource, deadline) });
    return resource;
  }

  /** Adds work to be finished or handed back between the end of intake and the closing of resources. */
  beforeClosing(name: string, finish: Finish): void {
    this.#finishers.push({ name, finish });
  }

  /** Stops everything once; answers the names of what did not end cleanly in time. Never throws. */
  stop(reason: string): Promise<string[]> {
    this.#stopped ??= this.#stopInOrder(reason);
    return this.#stopped;
  }

  async #stopInOrder(reason: string): Promise<string[]> {
    this.#logger.info({ event: 'stopping', reason });
    this.#health.drain();
    if (this.#times.delayMs > 0) await sleep(this.#times.delayMs);
    this.#intake.abort(new Error(`stopping: ${reason}`));
    const deadline = new AbortController();
    // Not `AbortSignal.timeout`: its timer would not keep a process alive whose work hangs on nothing.
    const timer = setTimeout(() => deadline.abort(new Error('the grace period is over')), this.#times.graceMs);
    await this.#closeEverything(deadline.signal);
    clearTimeout(timer);
    return this.#unfinished;
  }

  async #closeEverything(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#finishers.map(({ name, finish }) => this.#bounded(name, finish, deadline)));
    for (const { name, close } of this.#opened.toReversed()) await this.#bounded(name, close, deadline);
  }

  async #bounded(name: string, work: Finish, deadline: AbortSignal): Promise<void> {
    const done = new AbortController();
    try {
      await Promise.race([Promise.resolve(work(deadline)), tooLate(deadline, done.signal)]);
      this.#logger.info({ event: 'closed', resource: name });
    } catch (error) {
      this.#unfinished.push(name);
      this.#logger.error({ event: 'close-failed', resource: name, err: error });
    } finally {
      done.abort();
    }
  }
}

/** Rejects a little after the deadline, unless `done` comes first. */
async function tooLate(deadline: AbortSignal, done: AbortSignal): Promise<never> {
  if (!deadline.aborted) await new Promise<void>((resolve) => onAbort(deadline, done, resolve));
  await sleep(LATE_CLOSE_MS, undefined, { signal: done });
  throw new Error('did not end within the grace period');
}

function onAbort(deadline: AbortSignal, done: AbortSignal, then: () => void): void {
  deadline.addEventListener('abort', then, { once: true });
  done.addEventListener('abort', () => deadline.removeEventListener('abort', then), { once: true });
}
