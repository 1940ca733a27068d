import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';

/** What came of a question. Never throws: every way in which no answer came has a name. */
export type Reply =
  | { readonly outcome: 'answered'; readonly message: Msg }
  /** The server says that nobody listens to this subject. */
  | { readonly outcome: 'unattended' }
  | { readonly outcome: 'timed-out' }
  | { readonly outcome: 'lost'; readonly detail: string };

export interface Question {
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

interface Asked {
  readonly subject: string;
  readonly settle: (reply: Reply) => void;
  readonly patience: NodeJS.Timeout;
}

const NO_RESPONDERS = 503;

/**
 * One subscription to which all answers of a connection come, told apart by a number. The library's own requests make
 * three promises, two errors with their stacks and a race for each question; publishing the log asks thousands a second.
 */
export class ReplyInbox {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #asked = new Map<string, Asked>();
  #count = 0;

  /** `inboxPrefix`: where answers to this connection go; undefined for the library's own choice. */
  constructor(connection: NatsConnection, inboxPrefix: string | undefined) {
    this.#connection = connection;
    this.#prefix = `${createInbox(inboxPrefix)}.`;
    connection.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
        else this.loseAll(error.message);
      },
    });
  }

  ask({ subject, headers, body, timeoutMs }: Question): Promise<Reply> {
    const token = (this.#count += 1).toString(36);
    return new Promise((resolve) => {
      const patience = setTimeout(() => this.#settle(token, { outcome: 'timed-out' }), timeoutMs);
      this.#asked.set(token, { subject, settle: resolve, patience });
      try {
        this.#connection.publish(subject, body, { headers, reply: this.#prefix + token });
      } catch (error) {
        this.#settle(token, { outcome: 'lost', detail: error instanceof Error ? error.message : String(error) });
      }
    });
  }

  /** Answers that were on their way when the connection went will not come. */
  loseAll(detail: string): void {
    for (const token of this.#asked.keys()) this.#settle(token, { outcome: 'lost', detail });
  }

  /** The server does not let this connection ask there, and says so beside the answers. */
  loseSubject(subject: string, detail: string): void {
    for (const [token, asked] of this.#asked) {
      if (asked.subject === subject) this.#settle(token, { outcome: 'lost', detail });
    }
  }

  #receive(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length);
    const nobody = message.data.length === 0 && message.headers?.code === NO_RESPONDERS;
    this.#settle(token, nobody ? { outcome: 'unattended' } : { outcome: 'answered', message });
  }

  #settle(token: string, reply: Reply): void {
    const asked = this.#asked.get(token);
    if (asked === undefined) return;
    this.#asked.delete(token);
    clearTimeout(asked.patience);
    asked.settle(reply);
  }
}
