import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export interface LogBellOptions {
  readonly databaseUrl: string;
  readonly applicationName: string;
}

const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 2_000;
/** How often the head is looked at besides: a lost notification delays somebody by this much at most. */
const LOOK_MS = 5_000;
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Rings when the log grows: one connection that listens for what every append announces, for any number of waiters.
 * Knows the newest position it heard of, so waiting for something that is there already returns at once. A lost
 * connection is made again; waiters notice only the delay.
 */
export class LogBell {
  readonly #options: LogBellOptions;
  readonly #closing = new AbortController();
  readonly #waiters = new Set<{ past: number; wake: () => void }>();
  readonly #listening: Promise<void>;
  #position = 0;

  /** Starts to listen at once. */
  constructor(options: LogBellOptions) {
    this.#options = options;
    this.#listening = this.#listenAlways();
  }

  /** The newest position heard of. */
  get position(): number {
    return this.#position;
  }

  /** Resolves when the log has grown past `position`, or when the signal aborts: true and false. */
  waitPast(position: number, signal: AbortSignal): Promise<boolean> {
    if (this.#position > position) return Promise.resolve(true);
    if (signal.aborted || this.#closing.signal.aborted) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter = { past: position, wake: () => settle(true) };
    const giveUp = () => settle(false);
    const settle = (grown: boolean) => {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', giveUp);
      this.#closing.signal.removeEventListener('abort', giveUp);
      resolve(grown);
    };
    this.#waiters.add(waiter);
    signal.addEventListener('abort', giveUp);
    this.#closing.signal.addEventListener('abort', giveUp);
    return promise;
  }

  /** Stops listening; everybody who waits is told `false`. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#listening;
  }

  async #listenAlways(): Promise<void> {
    let waitMs = RECONNECT_FIRST_MS;
    while (!this.#closing.signal.aborted) {
      const heard = await this.#listen();
      waitMs = heard ? RECONNECT_FIRST_MS : Math.min(waitMs * 2, RECONNECT_MAX_MS);
      await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /** One connection, for as long as it lasts. @returns whether it ever worked */
  async #listen(): Promise<boolean> {
    const client = new pg.Client({
      connectionString: this.#options.databaseUrl,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
      keepAlive: true,
    });
    const broken = Promise.withResolvers<void>();
    client.on('error', () => broken.resolve());
    client.on('end', () => broken.resolve());
    client.on('notification', ({ payload }) => this.#ring(Number(payload)));
    let worked = false;
    try {
      await client.connect();
      await client.query('LISTEN delta_log');
      await this.#look(client);
      worked = true;
      await this.#lookUntil(client, broken.promise);
    } catch {
      // The connection is made anew by the caller: whatever went wrong, waiters only wait a little longer.
    }
    await client.end().catch(() => undefined);
    return worked;
  }

  async #lookUntil(client: pg.Client, broken: Promise<void>): Promise<void> {
    const over = new AbortController();
    const end = () => over.abort();
    void broken.then(end);
    this.#closing.signal.addEventListener('abort', end, { once: true });
    if (this.#closing.signal.aborted) end();
    while (!over.signal.aborted) {
      await delay(LOOK_MS, undefined, { signal: over.signal }).catch(() => undefined);
      if (!over.signal.aborted) await this.#look(client);
    }
    this.#closing.signal.removeEventListener('abort', end);
  }

  async #look(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ position: string }>('SELECT position FROM log_head');
    this.#ring(Number(rows[0]?.position ?? 0));
  }

  #ring(position: number): void {
    if (!(position > this.#position)) return;
    this.#position = position;
    for (const waiter of this.#waiters) if (position > waiter.past) waiter.wake();
  }
}
