import { engine, world } from '../engine/present.ts';
import type { Host } from '../engine/host.ts';
import type { Appointment } from '../engine/agenda.ts';
import type { Reply, Sent, ServerSession } from './server-session.ts';
import type { Row } from './rows.ts';

export interface Result {
  readonly rows: readonly Row[];
  readonly command: string;
}

interface Asked {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 35_000;

/** One connection as a host has it: statements of one turn travel together, replies come back in order. */
export class ClientSession {
  readonly #host: Host;
  readonly #session: ServerSession;
  readonly #asked: Asked[] = [];
  readonly #lastMs = { there: 0, back: 0 };
  #unsent: Sent[] = [];
  #patience: Appointment | null = null;
  #broken: Error | null = null;
  onEnd: () => void = () => undefined;
  onNotification: (position: number) => void = () => undefined;

  private constructor(host: Host, session: ServerSession) {
    this.#host = host;
    this.#session = session;
    session.connect({
      reply: (replies) => this.#fromServer('replies', () => this.#hear(replies)),
      bye: (why) =>
        this.#fromServer('connection ends', () => this.#break(new Error(`Connection terminated unexpectedly: ${why}`))),
      ring: (position) => this.#fromServer('notification', () => this.onNotification(position)),
    });
  }

  /** Rejects when the server does not take the connection in time. */
  static open(host: Host, role: 'writer' | 'reader'): Promise<ClientSession> {
    const { database } = world();
    return new Promise((resolve, reject) => {
      const refuse = (why: string) => reject(new Error(why));
      engine().after(database.latencyMs(), null, 'connect', () => {
        if (database.isCutOff(host)) {
          engine().after(CONNECT_TIMEOUT_MS, host, 'connect timeout', () => refuse('timeout expired'));
        } else if (!database.isUp) {
          engine().after(1, host, 'connection refused', () => refuse('ECONNREFUSED'));
        } else {
          const session = new ClientSession(host, database.open(host, role));
          engine().after(database.latencyMs(), host, 'connected', () => resolve(session));
        }
      });
    });
  }

  get isUsable(): boolean {
    return this.#broken === null;
  }

  send(sent: Sent): Promise<Result> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
      this.#unsent.push(sent);
      if (this.#unsent.length === 1) queueMicrotask(() => this.#flush());
      this.#patience ??= engine().after(ANSWER_TIMEOUT_MS, this.#host, 'query timeout', () => {
        this.#break(new Error('Query read timeout'));
      });
    });
  }

  /** Hangs up; the server rolls back what was open. */
  close(): void {
    engine().after(this.#inOrder('there'), null, 'hang up', () => this.#session.end('the client hung up'));
    this.#break(new Error('the connection was closed'));
  }

  #flush(): void {
    const { database } = world();
    const statements = this.#unsent;
    this.#unsent = [];
    if (!this.#host.isAlive) return;
    const names = statements.map(({ name, sql }) => name ?? sql.trimStart().slice(0, 12)).join(',');
    engine().after(this.#inOrder('there'), null, `db ${this.#session.name} ${names}`, () => {
      if (!database.isCutOff(this.#host)) this.#session.arrive(statements);
    });
  }

  #fromServer(what: string, act: () => void): void {
    if (world().database.isCutOff(this.#host)) return;
    engine().after(this.#inOrder('back'), this.#host, what, act);
  }

  /** What travels on one connection arrives in the order in which it was sent. */
  #inOrder(way: 'there' | 'back'): number {
    const { nowMs } = engine();
    this.#lastMs[way] = Math.max(this.#lastMs[way], nowMs + world().database.latencyMs());
    return this.#lastMs[way] - nowMs;
  }

  #hear(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const asked = this.#asked.shift();
      if (reply.kind === 'rows') asked?.resolve(reply);
      else asked?.reject(reply.error);
    }
    if (this.#asked.length > 0) return;
    this.#callOffPatience();
  }

  #callOffPatience(): void {
    if (this.#patience !== null) this.#patience.run = null;
    this.#patience = null;
  }

  #break(error: Error): void {
    if (this.#broken !== null) return;
    this.#broken = error;
    this.#callOffPatience();
    for (const { reject } of this.#asked.splice(0)) reject(error);
    this.onEnd();
  }
}
