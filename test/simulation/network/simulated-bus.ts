import type {
  Bus,
  BusAnswer,
  BusMessage,
  Clock,
  Delivery,
  Doubts,
  Listener,
  MemoryServer,
  ProvisionOutcome,
  PullEnd,
  PullRequest,
  ReadOutcome,
  RequestOutcome,
  StateOutcome,
  StoreOptions,
  StoreOutcome,
  Topology,
} from '@delta-ci/bus';
import type { StreamName } from '@delta-ci/contracts';
import { actAs, type Engine } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Random } from '../engine/random.ts';
import { simulatedClock } from './simulated-clock.ts';
import { USUAL_MS, type Weather } from './weather.ts';

/** Whoever waits for an answer that got lost gives up after this. */
const NO_ANSWER_MS = 5_000;
const CRASH_NOTICED_MS = 100;

/** What the bus tells the world: for the counters of what was provoked. */
export interface BusNews {
  stored(message: BusMessage, options: StoreOptions, outcome: StoreOutcome): void;
  /** The server hears that a delivery is done with. */
  acknowledged(delivery: Delivery): void;
  happened(
    what: 'delivery lost' | 'delivery repeated' | 'ack lost' | 'late ack' | 'store reply lost' | 'dispatch lost',
  ): void;
}

/**
 * One host's connection to the real in-memory server, through weather: what is sent arrives later, twice or never, in an
 * order of its own except where one connection keeps it.
 */
export class SimulatedBus implements Bus {
  readonly clock: Clock;
  readonly bodyBytesMax = 1_000_000;
  readonly #engine: Engine;
  readonly #host: Host;
  readonly #server: MemoryServer;
  readonly #weather: Weather;
  readonly #news: BusNews;
  readonly #random: Random;
  readonly #pulls = new Set<AbortController>();
  readonly #subscriptions = new Set<() => void>();
  /** Publications of one connection arrive in order. */
  #lastArrivalMs = 0;

  constructor(engine: Engine, host: Host, server: MemoryServer, weather: Weather, news: BusNews) {
    this.#engine = engine;
    this.#host = host;
    this.#server = server;
    this.#weather = weather;
    this.#news = news;
    this.#random = engine.random(`bus ${host.name} ${engine.nowMs}`);
    this.clock = simulatedClock(engine, () => host);
    host.onDeath(() => engine.after(CRASH_NOTICED_MS, null, 'bus connection reset', () => this.#hangUp()));
  }

  isConnected(): boolean {
    return this.#server.reachable;
  }

  outages(): number {
    return this.#server.outages;
  }

  provision(topology: Topology, doubts?: Doubts): Promise<ProvisionOutcome> {
    return this.#ask('provision', () => {
      if (!this.#server.reachable) throw new Error('the server is away');
      return { changes: this.#server.provision(topology, doubts), notes: [] };
    });
  }

  store(message: BusMessage, options: StoreOptions = {}): Promise<StoreOutcome> {
    const away: StoreOutcome = { outcome: 'unreachable', detail: 'no answer in time' };
    if (this.#weather.losesDispatches && message.subject.startsWith('delta.dispatch.')) {
      this.#news.happened('dispatch lost');
      return this.#unanswered(`store ${message.subject}`, away);
    }
    return this.#askInOrder(`store ${message.subject}`, away, () => {
      const outcome: StoreOutcome = this.#server.reachable ? this.#server.store(message, options) : away;
      this.#news.stored(message, options, outcome);
      return outcome;
    });
  }

  streamState(stream: StreamName): Promise<StateOutcome> {
    return this.#ask(`state ${stream}`, () => {
      if (!this.#server.reachable) return { outcome: 'unreachable', detail: 'away' };
      const found = this.#server.streams.get(stream);
      if (found === undefined) return { outcome: 'missing' };
      const { firstSequence, lastSequence, messages } = found;
      return { outcome: 'known', firstSequence, lastSequence, messages };
    });
  }

  readStored(stream: StreamName, fromSequence: number): Promise<ReadOutcome> {
    return this.#ask(`read ${stream}`, () => {
      if (!this.#server.reachable) return { outcome: 'unreachable', detail: 'away' };
      const found = this.#server.streams.get(stream);
      if (found === undefined) return { outcome: 'missing' };
      const message = found.next(fromSequence, '>');
      return message === null ? { outcome: 'none' } : { outcome: 'found', message };
    });
  }

  removeStored(stream: StreamName, sequence: number): Promise<boolean> {
    return this.#ask(`remove ${stream}`, () => this.#server.streams.get(stream)?.remove(sequence) === true);
  }

  pull(request: PullRequest, onDelivery: (delivery: Delivery) => void): Promise<PullEnd> {
    const over = new AbortController();
    this.#pulls.add(over);
    return new Promise((resolve) => {
      let settled = 0;
      const end = (how: PullEnd) => {
        this.#pulls.delete(over);
        const waitMs = Math.max(0, settled - this.#engine.nowMs) + this.#wayMs();
        this.#engine.after(waitMs, this.#host, `pull over ${how}`, () => resolve(how));
      };
      const handOut = (delivery: Delivery) => {
        const atMs = this.#deliver(delivery, onDelivery);
        settled = Math.max(settled, atMs);
      };
      const abort = () => this.#engine.after(this.#wayMs(), null, 'pull aborted', () => over.abort());
      if (request.signal.aborted) over.abort();
      request.signal.addEventListener('abort', abort, { once: true });
      this.#out(this.#wayMs(), `pull ${request.consumer}`, () => {
        if (over.signal.aborted) return end('aborted');
        if (!this.#server.reachable) return end('unreachable');
        const consumer = this.#server.consumer(request.stream, request.consumer);
        if (consumer === undefined) return end('missing');
        void consumer.pull({ ...request, signal: over.signal }, handOut).then(end);
      });
    });
  }

  announce(message: BusMessage): void {
    if (this.#random.chance(this.#weather.lose)) return;
    this.#out(this.#wayMs(), `announce ${message.subject}`, () => this.#server.publish(message));
  }

  listen(subject: string, onMessage: (message: BusMessage) => void): Listener {
    return this.#subscribe(subject, null, (message) => {
      onMessage(message);
      return Promise.resolve(null);
    });
  }

  answer(subject: string, queue: string, onRequest: (message: BusMessage) => Promise<BusAnswer>): Listener {
    return this.#subscribe(subject, queue, onRequest);
  }

  request(message: BusMessage, timeoutMs: number): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      const late = this.#engine.after(timeoutMs, this.#host, `no answer to ${message.subject}`, () => {
        resolve({ outcome: 'timed-out' });
      });
      const answered = (outcome: RequestOutcome) => {
        if (this.#random.chance(this.#weather.lose)) return;
        this.#engine.after(this.#wayMs(), this.#host, `answer to ${message.subject}`, () => {
          late.run = null;
          resolve(outcome);
        });
      };
      if (this.#random.chance(this.#weather.lose)) return;
      const times = this.#random.chance(this.#weather.repeat) ? 2 : 1;
      for (let time = 0; time < times; time += 1) {
        this.#out(this.#wayMs(), `request ${message.subject}`, () => this.#handOver(message, answered));
      }
    });
  }

  close(): Promise<void> {
    this.#engine.after(1, null, 'bus connection closed', () => this.#hangUp());
    return Promise.resolve();
  }

  #handOver(message: BusMessage, answered: (outcome: RequestOutcome) => void): void {
    if (!this.#server.reachable) return answered({ outcome: 'unreachable', detail: 'away' });
    const responder = this.#server.responder(message.subject);
    if (responder === null) return answered({ outcome: 'unattended' });
    void this.#answerOf(responder.onMessage(message), answered);
  }

  async #answerOf(work: Promise<BusAnswer | null>, answered: (outcome: RequestOutcome) => void): Promise<void> {
    const answer = await work;
    if (answer !== null) answered({ outcome: 'answered', message: answer });
  }

  /**
   * A subscriber's work is done by its host; its answer comes back into the world. A handler that throws is a mistake of ours:
   * it is not answered `failed`, as elsewhere, but ends the simulation.
   */
  #subscribe(
    filter: string,
    queue: string | null,
    onMessage: (message: BusMessage) => Promise<BusAnswer | null>,
  ): Listener {
    const inHand = new Set<Promise<BusAnswer | null>>();
    const handle = (message: BusMessage) =>
      new Promise<BusAnswer | null>((resolve) => {
        const bringBack = (said: BusAnswer | null) =>
          this.#engine.after(this.#wayMs(), null, 'answered', () => resolve(said));
        this.#engine.after(this.#wayMs(), this.#host, `takes ${message.subject}`, () => {
          const answer = onMessage(message);
          inHand.add(answer);
          void answer.finally(() => inHand.delete(answer)).then(bringBack);
        });
      });
    const unsubscribe = this.#server.subscribe({ filter, queue, onMessage: handle });
    this.#subscriptions.add(unsubscribe);
    const stop = async (): Promise<void> => {
      unsubscribe();
      await Promise.allSettled(inHand);
    };
    return { stop };
  }

  /** @returns when it will have been handed over, or now when it got lost */
  #deliver(delivery: Delivery, onDelivery: (delivery: Delivery) => void): number {
    if (this.#random.chance(this.#weather.lose)) {
      this.#news.happened('delivery lost');
      return this.#engine.nowMs;
    }
    const times = this.#random.chance(this.#weather.repeat) ? 2 : 1;
    if (times === 2) this.#news.happened('delivery repeated');
    let atMs = 0;
    for (let time = 0; time < times; time += 1) {
      const wayMs = this.#wayMs();
      atMs = Math.max(atMs, this.#engine.nowMs + wayMs);
      const what = `gets ${delivery.stream} ${delivery.sequence}`;
      this.#engine.after(wayMs, this.#host, what, () => onDelivery(this.#held(delivery)));
    }
    return atMs;
  }

  /** The delivery as the host has it: what it says of it goes through the weather, too. */
  #held(delivery: Delivery): Delivery {
    const say = (what: string, act: () => void) => {
      if (this.#random.chance(this.#weather.lose)) {
        if (what === 'ack') this.#news.happened('ack lost');
        return;
      }
      const wayMs = this.#wayMs();
      if (what === 'ack' && wayMs > 1_000) this.#news.happened('late ack');
      this.#out(wayMs, `${what} ${delivery.consumer} ${delivery.sequence}`, act);
    };
    return {
      ...delivery,
      ack: () =>
        say('ack', () => {
          this.#news.acknowledged(delivery);
          delivery.ack();
        }),
      term: () => say('term', () => delivery.term()),
      nak: (delayMs) => say('nak', () => delivery.nak(delayMs)),
      inProgress: () => say('in progress', () => delivery.inProgress()),
    };
  }

  #ask<T>(what: string, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#out(this.#wayMs(), what, () => {
        const [settle] = this.#attempt(act, resolve, reject);
        this.#engine.after(this.#wayMs(), this.#host, `${what} answered`, settle);
      });
    });
  }

  #askInOrder<T>(what: string, away: T, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const giveUp = () => void this.#unanswered(what, away).then(resolve);
      if (this.#random.chance(this.#weather.lose)) {
        giveUp();
        return;
      }
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#engine.nowMs + this.#wayMs());
      this.#out(this.#lastArrivalMs - this.#engine.nowMs, what, () => {
        const [settle] = this.#attempt(act, resolve, reject);
        if (this.#random.chance(this.#weather.lose)) {
          this.#news.happened('store reply lost');
          giveUp();
        } else this.#engine.after(this.#wayMs(), this.#host, `${what} answered`, settle);
      });
    });
  }

  #unanswered<T>(what: string, away: T): Promise<T> {
    return new Promise((resolve) => {
      this.#engine.after(NO_ANSWER_MS, this.#host, `${what} unanswered`, () => resolve(away));
    });
  }

  #attempt<T>(act: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): [settle: () => void] {
    try {
      const value = actAs(null, act);
      return [() => resolve(value)];
    } catch (error) {
      return [() => reject(error)];
    }
  }

  /** A host that has died says nothing more, even if its last step is not over. */
  #out(wayMs: number, what: string, act: () => void): void {
    if (this.#host.isAlive) this.#engine.after(wayMs, null, what, act);
  }

  #hangUp(): void {
    for (const pull of this.#pulls) pull.abort();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  #wayMs(): number {
    const usual = this.#random.between(1, USUAL_MS);
    return this.#random.chance(this.#weather.delay) ? usual + this.#random.between(0, this.#weather.delayMaxMs) : usual;
  }
}
