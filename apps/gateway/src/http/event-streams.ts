import type { Level } from '@delta-ci/service';
import type { Reply } from './exchange.ts';
import { refusedWith } from './refused.ts';

/** A proxy on the way may close what is silent for half a minute or more. */
const COMMENT_EVERY_MS = 15_000;
/** A client that takes nothing for so long is gone or not worth the memory. */
const DRAIN_MS = 30_000;

export interface EventStreamsOptions {
  /** Streams open at once: each may ask the database with every event. Beyond, newcomers are told to come again. */
  readonly openMax: number;
  readonly followers: Level<'what'>;
  readonly stopping: AbortSignal;
}

/** Opens streams of server-sent events, and knows how many are open. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  #open = 0;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /**
   * Answers with a stream and lets `write` fill it. Ends when `write` does, when the client goes, or when the service
   * stops. What `write` throws cuts the stream: the client comes back and goes on where it was.
   */
  async run(reply: Reply, what: string, write: (stream: EventStream) => Promise<void>): Promise<void> {
    const { openMax, followers, stopping } = this.#options;
    if (this.#open >= openMax) throw refusedWith('unavailable', `${openMax} streams are open already`);
    this.#open += 1;
    followers.change(1, { what });
    const stream = new EventStream(reply, stopping);
    try {
      await write(stream);
    } finally {
      this.#open -= 1;
      followers.change(-1, { what });
      stream.end();
    }
  }
}

/** One stream of server-sent events. */
export class EventStream {
  /** Aborts when nobody takes anything from it any more. */
  readonly over: AbortSignal;
  readonly #reply: Reply;
  readonly #comments: NodeJS.Timeout;

  constructor(reply: Reply, stopping: AbortSignal) {
    const gone = new AbortController();
    this.#reply = reply.hijack();
    this.over = AbortSignal.any([gone.signal, stopping]);
    reply.raw.once('close', () => gone.abort());
    if (reply.raw.destroyed) gone.abort();
    reply.raw.writeHead(200, { ...headersOf(reply), 'content-type': 'text/event-stream; charset=utf-8' });
    // Proxies that gather answers would hold events back.
    reply.raw.write(': \n\n');
    this.#comments = setInterval(() => reply.raw.write(': \n\n'), COMMENT_EVERY_MS);
  }

  /** Sends one event; resolves when there is room for the next, or when the stream is over. */
  async send(event: { id: string; type?: string; data: unknown }): Promise<void> {
    if (this.over.aborted) return;
    const type = event.type === undefined ? '' : `event: ${event.type}\n`;
    // JSON has no raw line breaks, so one `data:` line holds it.
    const text = `id: ${event.id}\n${type}data: ${JSON.stringify(event.data)}\n\n`;
    if (!this.#reply.raw.write(text)) await this.#drained();
  }

  end(): void {
    clearInterval(this.#comments);
    this.#reply.raw.end();
  }

  async #drained(): Promise<void> {
    const { raw } = this.#reply;
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = setTimeout(() => raw.destroy(), DRAIN_MS);
    const go = (): void => resolve();
    raw.once('drain', go);
    this.over.addEventListener('abort', go, { once: true });
    await promise;
    clearTimeout(slow);
    raw.off('drain', go);
    this.over.removeEventListener('abort', go);
  }
}

function headersOf(reply: Reply): Record<string, string> {
  const entries = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
