import type { StreamName } from '@delta-ci/contracts';
import type {
  Bus,
  BusAnswer,
  BusLog,
  BusMessage,
  Delivery,
  Doubts,
  Listener,
  ProvisionOutcome,
  PullEnd,
  PullRequest,
  ReadOutcome,
  RequestOutcome,
  StateOutcome,
  StoreOptions,
  StoreOutcome,
} from '../bus.ts';
import type { Clock } from '../clock.ts';
import { answerOrNull } from '../failed-answer.ts';
import type { Topology } from '../topology.ts';
import type { MemoryServer, Subscription } from './memory-server.ts';

/** What nats-server takes by default, less room for headers: as on JetStream. */
const BODY_BYTES_MAX = 1024 * 1024 - 8 * 1024;

/** Stands for an answer that was none: told apart by being this one. */
const FAILED: BusAnswer = { headers: {}, body: new Uint8Array() };

const AWAY = { outcome: 'unreachable', detail: 'the server is away' } as const;

/** One connection to a `MemoryServer`. */
export class MemoryBus implements Bus {
  readonly bodyBytesMax = BODY_BYTES_MAX;
  readonly #server: MemoryServer;
  readonly #log: BusLog;
  readonly #closed = new AbortController();

  constructor(server: MemoryServer, log: BusLog) {
    this.#server = server;
    this.#log = log;
  }

  get clock(): Clock {
    return this.#server.clock;
  }

  isConnected(): boolean {
    return this.#server.reachable && !this.#closed.signal.aborted;
  }

  outages(): number {
    return this.#server.outages;
  }

  async provision(topology: Topology, doubts?: Doubts): Promise<ProvisionOutcome> {
    await this.#roundTrip();
    if (!this.isConnected()) throw new Error(AWAY.detail);
    const notes = ['this bus is in memory: for specs and simulation only'];
    return { changes: this.#server.provision(topology, doubts), notes };
  }

  async store(message: BusMessage, options: StoreOptions = {}): Promise<StoreOutcome> {
    await this.#roundTrip();
    return this.isConnected() ? this.#server.store(message, options) : AWAY;
  }

  async streamState(stream: StreamName): Promise<StateOutcome> {
    await this.#roundTrip();
    if (!this.isConnected()) return AWAY;
    const found = this.#server.streams.get(stream);
    if (found === undefined) return { outcome: 'missing' };
    const { firstSequence, lastSequence, messages } = found;
    return { outcome: 'known', firstSequence, lastSequence, messages };
  }

  async readStored(stream: StreamName, fromSequence: number): Promise<ReadOutcome> {
    await this.#roundTrip();
    if (!this.isConnected()) return AWAY;
    const found = this.#server.streams.get(stream);
    if (found === undefined) return { outcome: 'missing' };
    const message = found.next(fromSequence, '>');
    return message === null ? { outcome: 'none' } : { outcome: 'found', message };
  }

  async removeStored(stream: StreamName, sequence: number): Promise<boolean> {
    await this.#roundTrip();
    if (!this.isConnected()) throw new Error(AWAY.detail);
    const found = this.#server.streams.get(stream);
    return found !== undefined && !found.spec.denyDelete && found.remove(sequence);
  }

  async pull(request: PullRequest, onDelivery: (delivery: Delivery) => void): Promise<PullEnd> {
    await this.#roundTrip();
    if (request.signal.aborted) return 'aborted';
    if (!this.isConnected()) return 'unreachable';
    const consumer = this.#server.consumer(request.stream, request.consumer);
    return consumer === undefined ? 'missing' : consumer.pull(request, onDelivery);
  }

  announce(message: BusMessage): void {
    if (this.isConnected()) void this.#roundTrip().then(() => this.#server.publish(message));
  }

  listen(subject: string, onMessage: (message: BusMessage) => void): Listener {
    return this.#subscribe({
      filter: subject,
      queue: null,
      onMessage: async (message) => {
        onMessage(message);
        return null;
      },
    });
  }

  async request(message: BusMessage, timeoutMs: number): Promise<RequestOutcome> {
    await this.#roundTrip();
    if (!this.isConnected()) return AWAY;
    const responder = this.#server.responder(message.subject);
    if (responder === null) return { outcome: 'unattended' };
    const over = new AbortController();
    const late = this.clock.sleep(timeoutMs, over.signal).then(() => null);
    const answer = await Promise.race([responder.onMessage(message), late]);
    over.abort();
    if (answer === null) return { outcome: 'timed-out' };
    return answer === FAILED ? { outcome: 'failed' } : { outcome: 'answered', message: answer };
  }

  answer(subject: string, queue: string, onRequest: (message: BusMessage) => Promise<BusAnswer>): Listener {
    const onMessage = async (message: BusMessage): Promise<BusAnswer> =>
      (await answerOrNull(this.#log, message.subject, async () => onRequest(message))) ?? FAILED;
    return this.#subscribe({ filter: subject, queue, onMessage });
  }

  async close(): Promise<void> {
    await this.#roundTrip();
    this.#closed.abort();
  }

  #subscribe(subscription: Subscription): Listener {
    const inHand = new Set<Promise<BusAnswer | null>>();
    const unsubscribe = this.#server.subscribe({
      ...subscription,
      onMessage: async (message) => {
        const answered = subscription.onMessage(message);
        inHand.add(answered);
        return answered.finally(() => inHand.delete(answered));
      },
    });
    const stop = async (): Promise<void> => {
      unsubscribe();
      await Promise.allSettled(inHand);
    };
    this.#closed.signal.addEventListener('abort', unsubscribe, { once: true });
    return { stop };
  }

  /** Nothing on a bus happens at once: callers must not come to rely on it. */
  #roundTrip(): Promise<void> {
    return Promise.resolve();
  }
}
