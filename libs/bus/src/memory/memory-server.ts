import { STREAMS, type StreamName } from '@delta-ci/contracts';
import { anewFrom } from '../anew-from.ts';
import {
  NO_DOUBTS,
  type BusAnswer,
  type BusMessage,
  type Doubts,
  type StoreOptions,
  type StoreOutcome,
} from '../bus.ts';
import { MACHINE_CLOCK, type Clock } from '../clock.ts';
import type { ConsumerSpec, StreamSpec, Topology } from '../topology.ts';
import { MemoryConsumer } from './memory-consumer.ts';
import { MemoryStream, subjectMatches } from './memory-stream.ts';

export interface Subscription {
  readonly filter: string;
  /** Null for a listener; members of one queue share requests. */
  readonly queue: string | null;
  readonly onMessage: (message: BusMessage) => Promise<BusAnswer | null>;
}

/**
 * The in-memory twin of a NATS server with JetStream, for specs and for the simulator. Never used in production.
 * It keeps the promises of `Bus` and takes the faults a real server has: gone, store lost, tail lost.
 * Where it is simpler: no clusters, no bound on what a client buffers, and headers count for nothing against limits.
 */
export class MemoryServer {
  readonly clock: Clock;
  readonly streams = new Map<StreamName, MemoryStream>();
  readonly #consumers = new Map<string, MemoryConsumer>();
  readonly #subscriptions = new Set<Subscription>();
  #reachable = true;
  #outages = 0;
  #turn = 0;

  constructor(clock: Clock = MACHINE_CLOCK) {
    this.clock = clock;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  get outages(): number {
    return this.#outages;
  }

  /** Fault: the server goes away or comes back. What it stored stays. */
  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    if (!reachable) this.#breakConnections();
    else for (const consumer of this.#consumers.values()) consumer.offer();
  }

  /** Fault: everything stored is gone, streams and consumers included. */
  loseStore(): void {
    this.#outages += 1;
    for (const consumer of this.#consumers.values()) consumer.forget();
    this.#consumers.clear();
    this.streams.clear();
  }

  /** Fault: the server restarts without what a stream had after a sequence, and will hand those sequences out again. */
  truncate(stream: StreamName, lastSequence: number): void {
    this.streams.get(stream)?.truncate(lastSequence);
    this.#breakConnections();
  }

  consumer(stream: StreamName, name: string): MemoryConsumer | undefined {
    return this.#consumers.get(`${stream} ${name}`);
  }

  store(message: BusMessage, options: StoreOptions): StoreOutcome {
    this.publish(message);
    const stream = [...this.streams.values()].find((candidate) => candidate.takes(message.subject));
    if (stream === undefined) return { outcome: 'missing' };
    const outcome = stream.store(message, options, this.clock.nowMs());
    if (outcome.outcome === 'stored') {
      for (const consumer of this.#consumers.values()) if (consumer.spec.stream === stream.spec.name) consumer.offer();
    }
    return outcome;
  }

  subscribe(subscription: Subscription): () => void {
    this.#subscriptions.add(subscription);
    return () => this.#subscriptions.delete(subscription);
  }

  publish(message: BusMessage): void {
    for (const { filter, queue, onMessage } of this.#subscriptions) {
      if (queue === null && subjectMatches(filter, message.subject)) void onMessage(message);
    }
  }

  /** One of those who answer a subject, in turn; null when there is none. */
  responder(subject: string): Subscription | null {
    const members = [...this.#subscriptions].filter(
      ({ filter, queue }) => queue !== null && subjectMatches(filter, subject),
    );
    this.#turn += 1;
    return members[this.#turn % members.length] ?? null;
  }

  /** Says what was made, changed or put right. */
  provision(topology: Topology, doubts: Doubts = NO_DOUBTS): string[] {
    const streams = topology.streams.map((spec) => this.#provisionStream(spec));
    const first = topology.streams.find(({ name }) => name === STREAMS.events)?.firstSequence ?? 1;
    const consumers = topology.consumers.map((spec) => this.#provisionConsumer(spec, first, doubts));
    return [...streams, ...consumers].filter((change) => change !== null);
  }

  #provisionStream(spec: StreamSpec): string | null {
    const stream = this.streams.get(spec.name);
    if (stream === undefined) {
      this.streams.set(spec.name, new MemoryStream(spec));
      return `created stream ${spec.name}`;
    }
    if (sameSpec({ ...stream.spec, firstSequence: spec.firstSequence }, spec)) return null;
    stream.spec = spec;
    return `updated stream ${spec.name}`;
  }

  #provisionConsumer(spec: ConsumerSpec, firstOfEvents: number, doubts: Doubts): string | null {
    const stream = this.streams.get(spec.stream);
    if (stream === undefined) throw new Error(`the stream ${spec.stream} of the consumer ${spec.name} is not there`);
    const consumer = this.consumer(spec.stream, spec.name);
    const name = `consumer ${spec.name} of ${spec.stream}`;
    if (consumer === undefined) {
      this.#addConsumer(spec, stream, spec.stream === STREAMS.events ? firstOfEvents : 1);
      return `created ${name}`;
    }
    const { lastSequence } = stream;
    const anew = anewFrom(spec, consumer, { lastSequence, doubtedFrom: doubts.get(spec.stream) ?? null });
    if (anew !== null) {
      consumer.forget();
      this.#addConsumer(spec, stream, anew);
      return `put right ${name}`;
    }
    if (sameSpec(consumer.spec, spec)) return null;
    consumer.spec = spec;
    return `updated ${name}`;
  }

  #addConsumer(spec: ConsumerSpec, stream: MemoryStream, startSequence: number): void {
    this.#consumers.set(`${spec.stream} ${spec.name}`, new MemoryConsumer(spec, stream, this.clock, startSequence));
  }

  #breakConnections(): void {
    this.#outages += 1;
    for (const consumer of this.#consumers.values()) consumer.endPulls('unreachable');
  }
}

const sameSpec = (held: object, wanted: object): boolean => JSON.stringify(held) === JSON.stringify(wanted);
