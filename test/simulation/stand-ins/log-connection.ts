import { ClientSession, type Result } from '../database/client-session.ts';
import { readModel, type ReadModel } from '../database/read-model.ts';
import type { Host } from '../engine/host.ts';
import { ask, caller } from './pg.ts';

/** Stands in for the room's own `connection.ts`: `openLog` gives a pool and a read model of the simulated database. */

interface OpenLogOptions {
  readonly applicationName: string;
  readonly hotConnectionsMax?: number;
}

/** A socket whose writes are gathered anyway: what one turn says travels together. */
const gathered = { cork: () => undefined, uncork: () => undefined };

interface Lent {
  readonly connection: { readonly stream: typeof gathered };
  query(...query: Parameters<Pool['query']>): Promise<Result>;
  release(broken?: boolean): void;
}

class Pool {
  readonly #host: Host;
  readonly #role: 'writer' | 'reader';
  readonly #max: number;
  readonly #idle: ClientSession[] = [];
  readonly #waiting: (() => void)[] = [];
  #lent = 0;

  constructor(host: Host, role: 'writer' | 'reader', max: number) {
    this.#host = host;
    this.#role = role;
    this.#max = max;
  }

  async connect(): Promise<Lent> {
    const session = await this.#take();
    return {
      connection: { stream: gathered },
      query: (query, values) => ask(session, query, values),
      release: (broken = false) => this.#giveBack(session, broken),
    };
  }

  async query(query: Parameters<typeof ask>[1], values?: readonly unknown[]): Promise<Result> {
    const session = await this.#take();
    try {
      return await ask(session, query, values);
    } finally {
      this.#giveBack(session, false);
    }
  }

  end(): Promise<void> {
    for (const session of this.#idle.splice(0)) session.close();
    return Promise.resolve();
  }

  async #take(): Promise<ClientSession> {
    while (this.#lent >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#lent += 1;
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (session.isUsable) return session;
    }
    return ClientSession.open(this.#host, this.#role).catch((error: unknown) => {
      this.#returned();
      throw error;
    });
  }

  #giveBack(session: ClientSession, broken: boolean): void {
    if (broken) session.close();
    else if (session.isUsable) this.#idle.push(session);
    this.#returned();
  }

  #returned(): void {
    this.#lent -= 1;
    this.#waiting.shift()?.();
  }
}

interface LogConnection {
  readonly pool: Pool;
  readonly reads: ReadModel;
  close(): Promise<void>;
}

export function openLog({ applicationName, hotConnectionsMax = 6 }: OpenLogOptions): Promise<LogConnection> {
  const host = caller();
  const pool = new Pool(host, applicationName === 'orchestrator' ? 'writer' : 'reader', hotConnectionsMax);
  return Promise.resolve({ pool, reads: readModel(host), close: () => pool.end() });
}

/** Only rebuilding from the log uses it, and nobody rebuilds here: the simulator folds the log by itself. */
export function surviveBrokenConnections(): void {
  throw new Error('nobody opens a pool of his own in the simulated world');
}
