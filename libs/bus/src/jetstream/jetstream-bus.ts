import { JetStreamApiError, jetstreamManager, type JetStreamManager, type StoredMsg } from '@nats-io/jetstream';
import { PermissionViolationError, createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { SUBJECT_FILTERS, STREAMS, type StreamName } from '@delta-ci/contracts';
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
import { MACHINE_CLOCK, type Clock } from '../clock.ts';
import { errorSentence } from '../consume.ts';
import { answerOrNull } from '../failed-answer.ts';
import type { Topology } from '../topology.ts';
import { fromNatsHeaders, HEADER_FAILED, toNatsHeaders } from './headers.ts';
import { saysMissing } from './missing.ts';
import { provisionJetStream } from './provision.ts';
import { pullJetStream, type ConsumerLook } from './pull.ts';
import { ReplyInbox } from './reply-inbox.ts';
import { HEADER_EXPECTED_LAST, HEADER_MESSAGE_ID, outcomeOfStoring } from './store-outcome.ts';

/** How long the server may take over one question; a cluster elects a new leader in about 7 s. */
const ANSWER_MS = 10_000;

/** Headroom for headers and protocol when the server's limit is a body's limit. */
const HEADER_BYTES = 8 * 1024;
const PAYLOAD_BYTES_DEFAULT = 1024 * 1024;

/** The bus on a NATS connection. Made by `connectBus`. */
export class JetStreamBus implements Bus {
  readonly clock: Clock = MACHINE_CLOCK;
  readonly #connection: NatsConnection;
  readonly #log: BusLog;
  readonly #inboxPrefix: string | undefined;
  /** When the server made each consumer that a pull looked at. */
  readonly #consumersSeen = new Map<string, string>();
  readonly #replies: ReplyInbox;
  readonly #manager: Promise<JetStreamManager>;
  #connected = true;
  #outages = 0;
  /** Aborts when the connection is lost: the server forgets who waited for messages. */
  #lost = new AbortController();

  /** `inboxPrefix`: where answers to this connection go; undefined for the library's own choice. */
  constructor(connection: NatsConnection, log: BusLog, inboxPrefix: string | undefined) {
    this.#connection = connection;
    this.#log = log;
    this.#inboxPrefix = inboxPrefix;
    this.#replies = new ReplyInbox(connection, inboxPrefix);
    this.#manager = jetstreamManager(connection, { timeout: ANSWER_MS, checkAPI: false });
    void this.#followStatus();
  }

  get bodyBytesMax(): number {
    return (this.#connection.info?.max_payload ?? PAYLOAD_BYTES_DEFAULT) - HEADER_BYTES;
  }

  isConnected(): boolean {
    return this.#connected && !this.#connection.isClosed();
  }

  outages(): number {
    return this.#outages;
  }

  async provision(topology: Topology, doubts?: Doubts): Promise<ProvisionOutcome> {
    const manager = await this.#manager;
    const version = this.#connection.info?.version ?? 'unknown';
    return this.#ask(() => provisionJetStream(manager, topology, version, doubts));
  }

  async store(message: BusMessage, options: StoreOptions = {}): Promise<StoreOutcome> {
    const { messageId, expectedLastSequence } = options;
    if (!this.isConnected()) return AWAY;
    const headers = toNatsHeaders({
      ...message.headers,
      ...(messageId === undefined ? {} : { [HEADER_MESSAGE_ID]: messageId }),
      ...(expectedLastSequence === undefined ? {} : { [HEADER_EXPECTED_LAST]: String(expectedLastSequence) }),
    });
    const { subject, body } = message;
    return outcomeOfStoring(await this.#replies.ask({ subject, body, headers, timeoutMs: ANSWER_MS }));
  }

  async streamState(stream: StreamName): Promise<StateOutcome> {
    try {
      const manager = await this.#manager;
      const { state } = await this.#ask(() => manager.streams.info(stream));
      const { first_seq: firstSequence, last_seq: lastSequence, messages } = state;
      return { outcome: 'known', firstSequence, lastSequence, messages };
    } catch (error) {
      return missingOrUnreachable(error);
    }
  }

  async readStored(stream: StreamName, fromSequence: number): Promise<ReadOutcome> {
    try {
      const query = { seq: Math.max(fromSequence, 1), next_by_subj: SUBJECTS_OF[stream] };
      const manager = await this.#manager;
      const found = await this.#ask(() => manager.streams.getMessage(stream, query));
      return found === null ? { outcome: 'none' } : { outcome: 'found', message: fromStored(found) };
    } catch (error) {
      return missingOrUnreachable(error);
    }
  }

  async removeStored(stream: StreamName, sequence: number): Promise<boolean> {
    try {
      const manager = await this.#manager;
      return await this.#ask(() => manager.streams.deleteMessage(stream, sequence));
    } catch (error) {
      if (error instanceof JetStreamApiError) return false;
      throw error;
    }
  }

  async pull(request: PullRequest, onDelivery: (delivery: Delivery) => void): Promise<PullEnd> {
    if (request.signal.aborted) return 'aborted';
    if (!this.isConnected() || this.#connection.isDraining()) return 'unreachable';
    const look = (): Promise<ConsumerLook> => this.#look(request.stream, request.consumer);
    const server = { connection: this.#connection, inbox: createInbox(this.#inboxPrefix), look };
    return pullJetStream({ ...server, lost: this.#lost.signal }, request, onDelivery);
  }

  announce(message: BusMessage): void {
    this.#connection.publish(message.subject, message.body, { headers: toNatsHeaders(message.headers) });
  }

  listen(subject: string, onMessage: (message: BusMessage) => void): Listener {
    const subscription = this.#connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) onMessage(fromNats(message));
      },
    });
    return { stop: () => stopOf(subscription) };
  }

  async request({ subject, headers, body }: BusMessage, timeoutMs: number): Promise<RequestOutcome> {
    if (!this.isConnected()) return AWAY;
    const reply = await this.#replies.ask({ subject, body, headers: toNatsHeaders(headers), timeoutMs });
    switch (reply.outcome) {
      case 'answered':
        return saysFailed(reply.message)
          ? { outcome: 'failed' }
          : { outcome: 'answered', message: fromNats(reply.message) };
      case 'lost':
        return { outcome: 'unreachable', detail: reply.detail };
      case 'unattended':
      case 'timed-out':
        return { outcome: reply.outcome };
    }
  }

  answer(subject: string, queue: string, onRequest: (message: BusMessage) => Promise<BusAnswer>): Listener {
    const inHand = new Set<Promise<void>>();
    const subscription = this.#connection.subscribe(subject, {
      queue,
      callback: (error, message) => {
        if (error !== null) return;
        void keep(inHand, this.#respond(message, onRequest));
      },
    });
    const stop = async (): Promise<void> => {
      await stopOf(subscription);
      await Promise.all(inHand);
    };
    return { stop };
  }

  async #respond(message: Msg, onRequest: (message: BusMessage) => Promise<BusAnswer>): Promise<void> {
    const answered = await answerOrNull(this.#log, message.subject, async () => {
      const answer = await onRequest(fromNats(message));
      message.respond(answer.body, { headers: toNatsHeaders(answer.headers) });
      return true;
    });
    if (answered === null) message.respond(undefined, { headers: toNatsHeaders({ [HEADER_FAILED]: 'internal' }) });
  }

  async close(): Promise<void> {
    if (this.#connection.isClosed()) return;
    // Draining flushes first; a server that is away cannot be flushed to, and is not waited for.
    if (this.#connected) await this.#connection.drain();
    else await this.#connection.close();
    this.#replies.loseAll('the connection is closed');
  }

  /**
   * Missing only when the server says so; one that does not answer says nothing about its consumers. Consumers are told
   * apart by when the server made them: one that was made again has the same name and knows nothing of earlier requests.
   */
  async #look(stream: StreamName, consumer: string): Promise<ConsumerLook> {
    const name = `${stream}.${consumer}`;
    try {
      const manager = await this.#manager;
      const { created } = await this.#ask(() => manager.consumers.info(stream, consumer));
      const isNew = this.#consumersSeen.get(name) !== created;
      this.#consumersSeen.set(name, created);
      return isNew ? 'new' : 'known';
    } catch (error) {
      return saysMissing(error) ? 'missing' : 'known';
    }
  }

  /**
   * Asks the server. What is asked while it is away would be lost, and an answer that was on its way when it went will
   * not come: both fail at once instead of when their time is over.
   */
  #ask<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.isConnected()) return Promise.reject(new Error('the server is away'));
    const { signal } = this.#lost;
    return new Promise((resolve, reject) => {
      const onLost = (): void => reject(new Error('the connection was lost'));
      signal.addEventListener('abort', onLost, { once: true });
      void ask()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', onLost));
    });
  }

  #disconnected(): void {
    this.#connected = false;
    this.#outages += 1;
    this.#lost.abort();
    this.#lost = new AbortController();
    this.#replies.loseAll('the connection was lost');
  }

  #heardError(error: Error): void {
    if (!(error instanceof PermissionViolationError) || error.operation !== 'publish') return;
    this.#replies.loseSubject(error.subject, error.message);
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#disconnected();
      if (status.type === 'reconnect') this.#connected = true;
      if (status.type === 'error') this.#heardError(status.error);
    }
  }
}

/** What is asked while the server is away would be lost: it is not sent. */
const AWAY = { outcome: 'unreachable', detail: 'the server is away' } as const;

const SUBJECTS_OF: Record<StreamName, string> = {
  [STREAMS.events]: SUBJECT_FILTERS.events,
  [STREAMS.reports]: SUBJECT_FILTERS.reports,
  [STREAMS.dispatch]: SUBJECT_FILTERS.dispatch,
  [STREAMS.parked]: SUBJECT_FILTERS.parked,
};

const saysFailed = ({ headers }: Msg): boolean => headers?.has(HEADER_FAILED) === true;

async function keep(inHand: Set<Promise<void>>, answered: Promise<void>): Promise<void> {
  inHand.add(answered);
  await answered;
  inHand.delete(answered);
}

async function stopOf(subscription: { drain(): Promise<void>; isClosed(): boolean }): Promise<void> {
  if (!subscription.isClosed()) await subscription.drain();
}

type Away = { readonly outcome: 'missing' } | { readonly outcome: 'unreachable'; readonly detail: string };

function missingOrUnreachable(error: unknown): Away {
  return saysMissing(error) ? { outcome: 'missing' } : { outcome: 'unreachable', detail: errorSentence(error) };
}

function fromNats(message: Msg): BusMessage {
  return { subject: message.subject, headers: fromNatsHeaders(message.headers), body: message.data };
}

function fromStored(message: StoredMsg): { sequence: number; storedAt: string } & BusMessage {
  return {
    subject: message.subject,
    headers: fromNatsHeaders(message.header),
    body: message.data,
    sequence: message.seq,
    storedAt: message.time.toISOString(),
  };
}
