import type { StreamName } from '@delta-ci/contracts';
import type { Clock } from './clock.ts';
import type { Topology } from './topology.ts';

/**
 * The bus as the rest of this room sees it: a few durable streams, pulled with explicit acknowledgement, and plain
 * request/reply and announcements beside them. Two implementations keep the same promises, checked by one contract
 * suite (`bus-contract.ts`): JetStream, which production runs on, and an in-memory twin for specs and the simulator.
 *
 * What it promises:
 * - A message answered `stored` stays in its stream until the stream's limits, a removal or (work queue) an ack takes it.
 * - Sequences of a stream are contiguous from its first. A server that lost its tail may hand the same numbers out again.
 * - A consumer delivers at least once; an ack that arrives late still counts. Nothing here is a fence.
 * - Nothing throws because the server is away: every answer has a name for it. Throwing means a mistake of the caller's.
 */
export interface Bus {
  /** Time as this bus sees it: the machine's, or a simulated one. */
  readonly clock: Clock;
  /** Largest body the server takes, in bytes. */
  readonly bodyBytesMax: number;
  /** Whether the server is reachable at this moment; for readiness. */
  isConnected(): boolean;

  /**
   * How often the server was lost from sight so far. One that comes back may have lost the tail of a stream, and have
   * handed its sequences out again before anybody could look.
   */
  outages(): number;

  /**
   * Creates or updates streams and durable consumers, and makes those anew that stand beyond the end of their stream or
   * passed what is in doubt; returns what an operator should be told. Safe to repeat.
   */
  provision(topology: Topology, doubts?: Doubts): Promise<ProvisionOutcome>;

  /** Puts a message into the stream that takes its subject and waits for the server's word. */
  store(message: BusMessage, options?: StoreOptions): Promise<StoreOutcome>;
  /** How a stream stands. */
  streamState(stream: StreamName): Promise<StateOutcome>;
  /** The first message of a stream at or after a sequence. */
  readStored(stream: StreamName, fromSequence: number): Promise<ReadOutcome>;
  /** Removes one message (operators: parked messages). False when there was none. */
  removeStored(stream: StreamName, sequence: number): Promise<boolean>;

  /** Asks a durable consumer for messages and hands each to `onDelivery`; resolves when the request is over. */
  pull(request: PullRequest, onDelivery: (delivery: Delivery) => void): Promise<PullEnd>;

  /** Sends to whoever listens now; nobody is a fine answer. Not stored. */
  announce(message: BusMessage): void;
  /** Hears announcements (and stored messages as they are published) on a subject, wildcards allowed. */
  listen(subject: string, onMessage: (message: BusMessage) => void): Listener;
  /** Sends a request and waits for one answer. */
  request(message: BusMessage, timeoutMs: number): Promise<RequestOutcome>;
  /**
   * Answers requests on a subject; members of one queue share them. A request whose handler throws, or gives an answer that
   * cannot be sent, is answered `failed`; why stands in the log of this process alone.
   */
  answer(subject: string, queue: string, onRequest: (message: BusMessage) => Promise<BusAnswer>): Listener;

  /** Sends what is buffered, then disconnects. Consumptions and listeners are stopped by whoever started them, before. */
  close(): Promise<void>;
}

/** Header names are case-sensitive; values are one line of text. */
export type BusHeaders = Readonly<Record<string, string>>;

export interface BusMessage {
  readonly subject: string;
  readonly headers: BusHeaders;
  readonly body: Uint8Array;
}

export type BusAnswer = Pick<BusMessage, 'headers' | 'body'>;

export interface StoredMessage extends BusMessage {
  readonly sequence: number;
  /** When the server stored it, ISO 8601 in UTC. */
  readonly storedAt: string;
}

export interface StoreOptions {
  /** `Nats-Msg-Id`: a repeat inside the stream's duplicate window is answered `duplicate` and not stored again. */
  readonly messageId?: string;
  /** Store only if the stream's last sequence is this one (0: the stream never held anything). */
  readonly expectedLastSequence?: number;
}

export type StoreOutcome =
  | { readonly outcome: 'stored' | 'duplicate'; readonly sequence: number }
  /** The stream's last sequence was not the expected one: nothing stored. */
  | { readonly outcome: 'out-of-order' }
  /** The stream is at its bound and refuses new messages: nothing stored. */
  | { readonly outcome: 'full' }
  /** No stream takes this subject: never provisioned, or its store was lost. */
  | { readonly outcome: 'missing' }
  /** Not known whether it was stored: repeat with the same message id. */
  | { readonly outcome: 'unreachable'; readonly detail: string };

export type StateOutcome =
  | {
      readonly outcome: 'known';
      readonly firstSequence: number;
      /** 0 when the stream never held anything; stays when messages age out. */
      readonly lastSequence: number;
      readonly messages: number;
    }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unreachable'; readonly detail: string };

export type ReadOutcome =
  | { readonly outcome: 'found'; readonly message: StoredMessage }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unreachable'; readonly detail: string };

/** Of streams that may have lost their tail, the first sequence that may hold another message than it did. */
export type Doubts = ReadonlyMap<StreamName, number>;

export const NO_DOUBTS: Doubts = new Map();

export interface ProvisionOutcome {
  /** Sentences for the log: what production needs and this server is not. */
  readonly notes: readonly string[];
  /** Streams and consumers that were made, changed or put right, e.g. `created stream EVENTS`. */
  readonly changes: readonly string[];
}

export interface PullRequest {
  readonly stream: StreamName;
  readonly consumer: string;
  /** Ends after so many deliveries. */
  readonly max: number;
  /** Waits so long for them; 0 takes only what is there now. */
  readonly expiresMs: number;
  /** Ends early. What was on its way by then is handed back, not lost. */
  readonly signal: AbortSignal;
}

export type PullEnd = 'filled' | 'expired' | 'aborted' | 'missing' | 'unreachable';

/** One delivery of a stored message. Exactly one of `ack`, `nak` and `term` settles it; later calls do nothing. */
export interface Delivery extends BusMessage {
  readonly stream: StreamName;
  readonly consumer: string;
  readonly sequence: number;
  /** 1 for the first delivery. */
  readonly deliveries: number;
  /** Done: never deliver again. */
  ack(): void;
  /** Deliver again after so many milliseconds. */
  nak(delayMs: number): void;
  /** Never deliver again, though it was not handled (it is parked). */
  term(): void;
  /** Still working: starts the ack wait anew. */
  inProgress(): void;
}

export type RequestOutcome =
  | { readonly outcome: 'answered'; readonly message: BusAnswer }
  /** Whoever answers could not: its own fault, which its log tells and nobody else. */
  | { readonly outcome: 'failed' }
  /** Nobody answers this subject now. */
  | { readonly outcome: 'unattended' }
  | { readonly outcome: 'timed-out' }
  | { readonly outcome: 'unreachable'; readonly detail: string };

export interface Listener {
  /** Takes no more, finishes what has arrived. */
  stop(): Promise<void>;
}

/** Where this room writes what an operator may want to know. The shape of a pino logger. */
export interface BusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
