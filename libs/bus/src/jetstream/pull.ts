import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import type { StreamName } from '@delta-ci/contracts';
import type { Delivery, PullEnd, PullRequest } from '../bus.ts';
import { fromNatsHeaders } from './headers.ts';

/**
 * One pull request to a durable consumer, spoken in JetStream's own protocol over a subscription of its own. The
 * library's `fetch` cannot take "only what is there now", asks the server for the consumer each time, and drops what
 * was on its way when it is stopped early; a dropped dispatch message would come back only after its ack wait.
 */
export function pullJetStream(
  server: PulledServer,
  request: PullRequest,
  onDelivery: (delivery: Delivery) => void,
): Promise<PullEnd> {
  return new Pull(server, request, onDelivery).run();
}

/** What stands where a pull asks: nothing, a consumer that no look on this connection saw before, or the one it saw. */
export type ConsumerLook = 'missing' | 'new' | 'known';

/** What a pull needs of the connection it is made on. */
export interface PulledServer {
  readonly connection: NatsConnection;
  /** A fresh subject, to which the messages come. */
  readonly inbox: string;
  /** Asks what is there to pull from. */
  readonly look: () => Promise<ConsumerLook>;
  /** Aborts when the connection is lost. */
  readonly lost: AbortSignal;
}

/** The server proves it is there this often while a pull waits; two silences end the pull. */
const HEARTBEAT_MS_MAX = 15_000;
const HEARTBEAT_MS_MIN = 500;
/** How long the server may take to say that there is nothing. */
const SLACK_MS = 5_000;

/** A pull that heard nothing for so long asks once whether the consumer is there. */
const PROBE_AFTER_MS = 300;

/** What the server says instead of a message. */
const STATUS = { heartbeat: 100, noMessages: 404, timeout: 408, conflict: 409, noResponders: 503 };
const NOTHING_THERE: readonly number[] = [STATUS.noMessages, STATUS.timeout, STATUS.conflict];

class Pull {
  readonly #server: PulledServer;
  readonly #request: PullRequest;
  readonly #onDelivery: (delivery: Delivery) => void;
  readonly #heartbeatMs: number | null;
  #delivered = 0;
  #end: PullEnd | null = null;
  #settle: (end: PullEnd) => void = () => undefined;
  #silence: NodeJS.Timeout | undefined;
  #heard = false;

  constructor(server: PulledServer, request: PullRequest, onDelivery: (delivery: Delivery) => void) {
    this.#server = server;
    this.#request = request;
    this.#onDelivery = onDelivery;
    const half = Math.min(request.expiresMs / 2, HEARTBEAT_MS_MAX);
    this.#heartbeatMs = half >= HEARTBEAT_MS_MIN ? half : null;
  }

  async run(): Promise<PullEnd> {
    const { connection, inbox } = this.#server;
    const { stream, consumer } = this.#request;
    const ended = new Promise<PullEnd>((resolve) => (this.#settle = resolve));
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.#receive(message, inbox) : this.#over('unreachable')),
    });
    const stopWatching = this.#watch();
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, this.#body(), { reply: inbox });
    const end = await ended;
    stopWatching();
    stop(subscription, end);
    return end;
  }

  /** Everything besides messages that ends a pull. */
  #watch(): () => void {
    const onAbort = (): void => this.#over('aborted');
    const onLost = (): void => this.#over('unreachable');
    this.#request.signal.addEventListener('abort', onAbort, { once: true });
    this.#server.lost.addEventListener('abort', onLost, { once: true });
    this.#listenForSilence();
    const probe = setTimeout(() => void this.#probe(), PROBE_AFTER_MS);
    return () => {
      this.#request.signal.removeEventListener('abort', onAbort);
      this.#server.lost.removeEventListener('abort', onLost);
      clearTimeout(this.#silence);
      clearTimeout(probe);
    };
  }

  #body(): string {
    const { max, expiresMs } = this.#request;
    if (expiresMs === 0) return JSON.stringify({ batch: max, no_wait: true });
    const heartbeat = this.#heartbeatMs === null ? {} : { idle_heartbeat: nanos(this.#heartbeatMs) };
    return JSON.stringify({ batch: max, expires: nanos(expiresMs), ...heartbeat });
  }

  #receive(message: Msg, inbox: string): void {
    this.#heard = true;
    this.#listenForSilence();
    if (message.subject === inbox) return this.#status(message);
    const delivery = toDelivery(message, this.#request);
    // Came after the end (an abort while it was on its way): handed back for the next one who asks.
    if (this.#end !== null) return delivery.nak(0);
    this.#delivered += 1;
    this.#onDelivery(delivery);
    if (this.#delivered >= this.#request.max) this.#over('filled');
  }

  #status(message: Msg): void {
    const { code = 0, description = '' } = message.headers ?? {};
    if (code === STATUS.heartbeat) return;
    if (code === STATUS.noResponders || (code === STATUS.conflict && /deleted/i.test(description))) {
      this.#over('missing');
    } else {
      this.#over(NOTHING_THERE.includes(code) ? 'expired' : 'unreachable');
    }
  }

  /**
   * A request to a consumer that is not there is dropped without a word, so a quiet start asks whether it is. One that
   * came into being since may have missed the request: then the pull ends, and the next one surely reaches it.
   */
  async #probe(): Promise<void> {
    if (this.#heard) return;
    const look = await this.#server.look();
    if (this.#heard || look === 'known') return;
    this.#over(look === 'missing' ? 'missing' : 'expired');
  }

  /** A server that went away, or forgot the request when it restarted, says nothing: that ends the pull. */
  #listenForSilence(): void {
    clearTimeout(this.#silence);
    const silentMs = this.#heartbeatMs === null ? this.#request.expiresMs + SLACK_MS : this.#heartbeatMs * 2 + SLACK_MS;
    this.#silence = setTimeout(() => this.#over('unreachable'), silentMs);
    this.#silence.unref();
  }

  #over(end: PullEnd): void {
    this.#end ??= end;
    this.#settle(this.#end);
  }
}

/** A pull that we ended still hears what was on its way, to hand it back; others have nothing more to hear. */
function stop(subscription: Subscription, end: PullEnd): void {
  if (subscription.isClosed()) return;
  if (end === 'aborted' || end === 'unreachable' || end === 'expired') void subscription.drain().catch(() => undefined);
  else subscription.unsubscribe();
}

function toDelivery(message: Msg, request: PullRequest): Delivery {
  // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>..., with domain and account before the stream on some.
  const tokens = (message.reply ?? '').split('.');
  const at = tokens.length >= 11 ? 6 : 4;
  let settled = false;
  const settle = (word: string): void => {
    if (settled) return;
    settled = true;
    message.respond(word);
  };
  return {
    stream: request.stream satisfies StreamName,
    consumer: request.consumer,
    subject: message.subject,
    headers: fromNatsHeaders(message.headers),
    body: message.data,
    deliveries: Number(tokens[at]),
    sequence: Number(tokens[at + 1]),
    ack: () => settle('+ACK'),
    nak: (delayMs) => settle(delayMs === 0 ? '-NAK' : `-NAK {"delay":${nanos(delayMs)}}`),
    term: () => settle('+TERM'),
    inProgress: () => {
      if (!settled) message.respond('+WPI');
    },
  };
}

const nanos = (ms: number): number => Math.round(ms * 1_000_000);
