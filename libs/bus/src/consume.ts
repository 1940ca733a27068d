import type { StreamName } from '@delta-ci/contracts';
import type { Bus, BusLog, Delivery } from './bus.ts';
import { park } from './parked.ts';
import { ACK_WAIT_MS, RETRY_POLICY, type RetryPolicy } from './topology.ts';

/**
 * Consuming: pull no more than can be worked on, keep what is in hand alive, handle it, settle it. One consumption
 * serves one durable consumer; messages with the same key are handled one after the other, in the order they came.
 * (A message that failed comes again later, after others of its key: handlers look at the state, not at the order.)
 */

/** What came of a delivery. Throwing instead means: try again later, and park it when that was tried often enough. */
export type Verdict =
  | { readonly verdict: 'handled' }
  /** No repetition will help: the message itself is wrong. */
  | { readonly verdict: 'malformed'; readonly reason: string };

export const HANDLED: Verdict = { verdict: 'handled' };

export interface ConsumeOptions {
  readonly stream: StreamName;
  readonly consumer: string;
  /** Messages handled at once. Some more are in hand, waiting for the one before them of their key. */
  readonly concurrency: number;
  /** Messages with the same key are not handled at the same time. */
  readonly keyOf: (delivery: Delivery) => string;
  readonly handle: (delivery: Delivery, signal: AbortSignal) => Promise<Verdict>;
  readonly log: BusLog;
  readonly retry?: RetryPolicy;
  readonly ackWaitMs?: number;
  /** Called when the stream or consumer is not there; whoever may create it does. Others wait for it to come back. */
  readonly onMissing?: () => Promise<void>;
}

export interface Consumption {
  /**
   * Takes no more, waits for what is being handled at most `drainMs`, then hands the rest back for others.
   * Handlers see their signal abort at that moment.
   */
  close(drainMs?: number): Promise<void>;
}

/**
 * In hand for each that may be handled: a run's events wait for the one before them, and must not keep other runs' from being
 * handled. What is in hand is held in memory and kept alive.
 */
const IN_HAND_FOR_EACH = 4;
/** A pull waits this long for messages; any figure does, a long one only costs less. */
const PULL_EXPIRES_MS = 30_000;
/** Pause before asking a server again that was away or had no such consumer. Doubles from the first to the second. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 5_000;
const DRAIN_MS_DEFAULT = 20_000;

/** A message in hand. Delivered again meanwhile, as after an outage of the server, it is the same work. */
interface MessageInHand {
  /** The newest: it is kept alive and settled. */
  delivery: Delivery;
  /** Another message has its sequence now: whatever the server is told of that, it takes for the other. */
  isReplaced: boolean;
}

/** Starts to consume; returns at once. */
export function consume(bus: Bus, options: ConsumeOptions): Consumption {
  return new RunningConsumption(bus, options);
}

class RunningConsumption implements Consumption {
  readonly #bus: Bus;
  readonly #options: ConsumeOptions;
  readonly #retry: RetryPolicy;
  /** Aborts when no more is to be taken. */
  readonly #taking = new AbortController();
  /** Aborts when what is in hand is to be handed back. */
  readonly #handling = new AbortController();
  readonly #inHand = new Set<Promise<void>>();
  /** What is not settled yet, by its sequence. */
  readonly #messages = new Map<number, MessageInHand>();
  readonly #lastOfKey = new Map<string, Promise<void>>();
  /** Messages in hand that wait for another of their key. */
  #waiting = 0;
  readonly #loop: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(bus: Bus, options: ConsumeOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#retry = options.retry ?? RETRY_POLICY;
    this.#loop = this.#run();
  }

  async close(drainMs: number = DRAIN_MS_DEFAULT): Promise<void> {
    this.#taking.abort();
    this.#wake();
    await this.#loop;
    const drained = new AbortController();
    const rest = Promise.allSettled(this.#inHand).then(() => drained.abort());
    await this.#bus.clock.sleep(drainMs, drained.signal);
    this.#handling.abort();
    await rest;
  }

  async #run(): Promise<void> {
    const { stream, consumer, concurrency } = this.#options;
    let pauseMs = PAUSE_MS_MIN;
    while (!this.#taking.signal.aborted) {
      const free = Math.min(
        concurrency - (this.#inHand.size - this.#waiting),
        concurrency * IN_HAND_FOR_EACH - this.#inHand.size,
      );
      if (free <= 0) {
        await this.#oneSettled();
        continue;
      }
      const request = { stream, consumer, max: free, expiresMs: PULL_EXPIRES_MS, signal: this.#taking.signal };
      const end = await this.#bus.pull(request, (delivery) => this.#take(delivery));
      if (end === 'missing' || end === 'unreachable') pauseMs = await this.#pause(end, pauseMs);
      else pauseMs = PAUSE_MS_MIN;
    }
  }

  /** Waits before asking again; returns the next pause. */
  async #pause(end: 'missing' | 'unreachable', pauseMs: number): Promise<number> {
    const { stream, consumer, log, onMissing } = this.#options;
    if (pauseMs === PAUSE_MS_MIN) log.warn({ stream, consumer, end }, 'nothing to consume from, asking again');
    if (end === 'missing')
      await onMissing?.().catch((error: unknown) =>
        log.warn({ stream, reason: errorSentence(error) }, 'could not provision'),
      );
    await this.#bus.clock.sleep(pauseMs, this.#taking.signal);
    return Math.min(pauseMs * 2, PAUSE_MS_MAX);
  }

  #oneSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(delivery: Delivery): void {
    const known = this.#messages.get(delivery.sequence);
    if (known !== undefined && isSameMessage(known.delivery, delivery)) {
      known.delivery = delivery;
      return;
    }
    if (known !== undefined) known.isReplaced = true;
    const message = { delivery, isReplaced: false };
    this.#messages.set(delivery.sequence, message);
    const key = this.#options.keyOf(delivery);
    const done = this.#afterOthersOfKey(message, this.#lastOfKey.get(key));
    this.#lastOfKey.set(key, done);
    const kept = this.#keepAlive(message, done);
    this.#inHand.add(kept);
    void this.#letGo(key, done, kept);
  }

  async #afterOthersOfKey(message: MessageInHand, before: Promise<void> | undefined): Promise<void> {
    if (before !== undefined) {
      this.#waiting += 1;
      await before;
      this.#waiting -= 1;
    }
    await this.#work(message);
  }

  /** Tells the server what becomes of a message. What is delivered from now on is to be worked on. */
  async #settle(message: MessageInHand, tell: (delivery: Delivery) => void | Promise<void>): Promise<void> {
    if (message.isReplaced) return;
    this.#messages.delete(message.delivery.sequence);
    await tell(message.delivery);
  }

  async #letGo(key: string, done: Promise<void>, kept: Promise<void>): Promise<void> {
    await kept;
    this.#inHand.delete(kept);
    if (this.#lastOfKey.get(key) === done) this.#lastOfKey.delete(key);
    this.#wake();
  }

  /** While a message is in hand, waiting for its turn or being handled, the server is told so. */
  async #keepAlive(message: MessageInHand, done: Promise<void>): Promise<void> {
    const settled = new AbortController();
    void done.then(() => settled.abort());
    // Three times per wait: one lost sign of life does not cost the message.
    const everyMs = (this.#options.ackWaitMs ?? ACK_WAIT_MS) / 3;
    while (!settled.signal.aborted) {
      await this.#bus.clock.sleep(everyMs, settled.signal);
      if (!settled.signal.aborted && !message.isReplaced) message.delivery.inProgress();
    }
  }

  async #work(message: MessageInHand): Promise<void> {
    const { handle, log } = this.#options;
    const { maxDeliver } = this.#retry;
    const { delivery } = message;
    if (this.#handling.signal.aborted) return this.#settle(message, (newest) => newest.nak(0));
    // A handler that takes its process down never answers: the message ends here instead of crashing all for ever.
    if (delivery.deliveries > maxDeliver) {
      const reason = `delivered ${delivery.deliveries} times without an answer`;
      return this.#settle(message, async (newest) => park(this.#bus, newest, reason, log));
    }
    try {
      const verdict = await this.#unlessHandedBack(handle(delivery, this.#handling.signal));
      await this.#settle(message, async (newest) => {
        if (verdict === 'handed-back') newest.nak(0);
        else if (verdict.verdict === 'handled') newest.ack();
        else await park(this.#bus, newest, verdict.reason, log);
      });
    } catch (error) {
      await this.#settle(message, async (newest) => this.#failed(newest, error));
    }
  }

  /** A handler that ignores its signal does not hold up the end of the process; its message goes to another. */
  #unlessHandedBack(handled: Promise<Verdict>): Promise<Verdict | 'handed-back'> {
    const { signal } = this.#handling;
    return new Promise((resolve, reject) => {
      const handBack = (): void => resolve('handed-back');
      signal.addEventListener('abort', handBack, { once: true });
      handled.then(resolve, reject).finally(() => signal.removeEventListener('abort', handBack));
    });
  }

  async #failed(delivery: Delivery, error: unknown): Promise<void> {
    const { log } = this.#options;
    const reason = errorSentence(error);
    if (delivery.deliveries >= this.#retry.maxDeliver) return park(this.#bus, delivery, reason, log);
    const delayMs = backoffMs(this.#retry, delivery.deliveries);
    const { consumer, subject, sequence, deliveries } = delivery;
    log.warn({ consumer, subject, sequence, deliveries, delayMs, reason }, 'handler failed, message comes again');
    delivery.nak(delayMs);
  }
}

/** A server that lost its tail hands sequences out again, for other messages. */
const isSameMessage = (one: Delivery, other: Delivery): boolean =>
  one.subject === other.subject && Buffer.compare(one.body, other.body) === 0;

/** Pause after the given delivery (1 for the first). */
export function backoffMs(retry: RetryPolicy, deliveries: number): number {
  return retry.backoffMs[Math.min(deliveries, retry.backoffMs.length) - 1] ?? 0;
}

/** What an error says, for logs and for the reason a message was parked with. */
export function errorSentence(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}
