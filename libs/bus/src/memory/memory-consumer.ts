import type { Delivery, PullEnd, PullRequest, StoredMessage } from '../bus.ts';
import type { Clock } from '../clock.ts';
import type { ConsumerSpec } from '../topology.ts';
import type { MemoryStream } from './memory-stream.ts';

interface WaitingPull {
  readonly request: PullRequest;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly over: (end: PullEnd) => void;
  left: number;
}

/** A durable consumer: how far it got, what is out, what is due again, and who waits for more. */
export class MemoryConsumer {
  spec: ConsumerSpec;
  readonly #stream: MemoryStream;
  readonly #clock: Clock;
  /** Sequence -> stops the ack wait. */
  readonly #out = new Map<number, AbortController>();
  /** Sequences to deliver again, now. */
  readonly #due = new Set<number>();
  /** Sequences that wait for the end of a nak's delay. */
  readonly #delayed = new Map<number, AbortController>();
  readonly #deliveries = new Map<number, number>();
  readonly #waiting: WaitingPull[] = [];
  #next: number;

  constructor(spec: ConsumerSpec, stream: MemoryStream, clock: Clock, startSequence: number) {
    this.spec = spec;
    this.#stream = stream;
    this.#clock = clock;
    this.#next = startSequence;
  }

  /** The highest sequence delivered, 0 for none. */
  get delivered(): number {
    return this.#next - 1;
  }

  /** Everything up to here is settled. */
  get ackFloor(): number {
    return Math.min(this.#next, ...this.#out.keys(), ...this.#due, ...this.#delayed.keys()) - 1;
  }

  async pull(request: PullRequest, onDelivery: (delivery: Delivery) => void): Promise<PullEnd> {
    const expired = new AbortController();
    const ended = new Promise<PullEnd>((over) => {
      this.#waiting.push({ request, onDelivery, over, left: request.max });
    });
    const waiting = this.#waiting.at(-1);
    const onAbort = (): void => this.#over(waiting, 'aborted');
    request.signal.addEventListener('abort', onAbort, { once: true });
    this.offer();
    if (request.expiresMs === 0) this.#over(waiting, 'expired');
    else void this.#expire(waiting, request.expiresMs, expired.signal);
    const end = await ended;
    expired.abort();
    request.signal.removeEventListener('abort', onAbort);
    return end;
  }

  /** Gives what there is to those who wait. */
  offer(): void {
    for (let waiting = this.#waiting[0]; waiting !== undefined; [waiting] = this.#waiting) {
      const message = this.#out.size < this.spec.maxAckPending ? this.#take() : null;
      if (message === null) return;
      this.#startAckWait(message.sequence);
      waiting.left -= 1;
      if (waiting.left === 0) this.#over(waiting, 'filled');
      waiting.onDelivery(this.#delivery(message));
    }
  }

  /** Ends every waiting pull: the consumer is gone, or the server is. */
  endPulls(end: PullEnd): void {
    while (this.#waiting.length > 0) this.#over(this.#waiting[0], end);
  }

  /** Forgets everything that is out; used when the consumer itself is gone. */
  forget(): void {
    this.endPulls('missing');
    for (const timer of [...this.#out.values(), ...this.#delayed.values()]) timer.abort();
    this.#out.clear();
    this.#delayed.clear();
    this.#due.clear();
    this.#deliveries.clear();
  }

  #take(): StoredMessage | null {
    for (const sequence of [...this.#due].toSorted((a, b) => a - b)) {
      this.#due.delete(sequence);
      const message = this.#stream.get(sequence);
      if (message !== undefined) return message;
      this.#deliveries.delete(sequence);
    }
    const message = this.#stream.next(this.#next, this.spec.filter);
    if (message !== null) this.#next = message.sequence + 1;
    return message;
  }

  #delivery(message: StoredMessage): Delivery {
    const { sequence, subject, headers, body } = message;
    const deliveries = (this.#deliveries.get(sequence) ?? 0) + 1;
    this.#deliveries.set(sequence, deliveries);
    let settled = false;
    const once = (act: () => void) => () => {
      if (settled) return;
      settled = true;
      act();
    };
    const { stream, name: consumer } = this.spec;
    return {
      stream,
      consumer,
      subject,
      headers,
      body,
      sequence,
      deliveries,
      ack: once(() => this.#settle(sequence)),
      term: once(() => this.#settle(sequence)),
      nak: (delayMs) => once(() => this.#nak(sequence, delayMs))(),
      inProgress: () => {
        if (!settled && this.#out.has(sequence)) this.#startAckWait(sequence);
      },
    };
  }

  /** A late ack counts: it settles the message though its wait is over. */
  #settle(sequence: number): void {
    this.#stopTimers(sequence);
    this.#due.delete(sequence);
    this.#deliveries.delete(sequence);
    if (this.#stream.spec.retention === 'work-queue') this.#stream.remove(sequence);
    this.offer();
  }

  #nak(sequence: number, delayMs: number): void {
    if (!this.#out.has(sequence)) return;
    this.#stopTimers(sequence);
    if (delayMs === 0) return this.#makeDue(sequence);
    const timer = new AbortController();
    this.#delayed.set(sequence, timer);
    void this.#after(delayMs, timer.signal, () => {
      this.#delayed.delete(sequence);
      this.#makeDue(sequence);
    });
  }

  #makeDue(sequence: number): void {
    this.#due.add(sequence);
    this.offer();
  }

  #startAckWait(sequence: number): void {
    this.#out.get(sequence)?.abort();
    const timer = new AbortController();
    this.#out.set(sequence, timer);
    void this.#after(this.spec.ackWaitMs, timer.signal, () => {
      this.#out.delete(sequence);
      this.#makeDue(sequence);
    });
  }

  #stopTimers(sequence: number): void {
    for (const timers of [this.#out, this.#delayed]) {
      timers.get(sequence)?.abort();
      timers.delete(sequence);
    }
  }

  async #after(ms: number, signal: AbortSignal, act: () => void): Promise<void> {
    await this.#clock.sleep(ms, signal);
    if (!signal.aborted) act();
  }

  #expire(waiting: WaitingPull | undefined, ms: number, signal: AbortSignal): Promise<void> {
    return this.#after(ms, signal, () => this.#over(waiting, 'expired'));
  }

  #over(waiting: WaitingPull | undefined, end: PullEnd): void {
    const index = waiting === undefined ? -1 : this.#waiting.indexOf(waiting);
    if (index === -1) return;
    this.#waiting.splice(index, 1);
    waiting?.over(end);
  }
}
