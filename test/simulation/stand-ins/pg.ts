import { actingHost } from '../engine/engine.ts';
import { ClientSession, type Result } from '../database/client-session.ts';
import { StatementError } from '../database/statement.ts';

/** Stands in for `pg`: the same calls, to the simulated database. */

/** What the server refused, by its code. */
class DatabaseError extends StatementError {}

type Query = string | { readonly name?: string; readonly text: string; readonly values?: readonly unknown[] };

export function ask(session: ClientSession, query: Query, values: readonly unknown[] = []): Promise<Result> {
  const sent =
    typeof query === 'string'
      ? { name: undefined, sql: query, values }
      : { name: query.name, sql: query.text, values: query.values ?? values };
  return session.send(sent).catch((error: unknown) => {
    throw error instanceof StatementError ? new DatabaseError(error.code, error.message, error.constraint) : error;
  });
}

/** @throws when nobody acts: only hosts have connections */
export function caller(): NonNullable<ReturnType<typeof actingHost>> {
  const host = actingHost();
  if (host === null) throw new Error('a connection without a host');
  return host;
}

type Listener = (...given: never[]) => void;

/** One connection of its own: what election and the log bell use. */
class Client {
  #session: ClientSession | null = null;
  readonly #listeners: { end: (() => void)[]; notification: ((message: { payload: string }) => void)[] } = {
    end: [],
    notification: [],
  };

  on(event: string, listener: Listener): this {
    if (event === 'end') this.#listeners.end.push(listener as () => void);
    if (event === 'notification') this.#listeners.notification.push(listener as (message: { payload: string }) => void);
    return this;
  }

  async connect(): Promise<void> {
    const session = await ClientSession.open(caller(), 'writer');
    session.onEnd = () => {
      for (const listener of this.#listeners.end) listener();
    };
    session.onNotification = (position) => {
      for (const listener of this.#listeners.notification) listener({ payload: String(position) });
    };
    this.#session = session;
  }

  query(query: Query, values?: readonly unknown[]): Promise<Result> {
    if (this.#session === null) return Promise.reject(new Error('not connected'));
    return ask(this.#session, query, values);
  }

  end(): Promise<void> {
    this.#session?.close();
    return Promise.resolve();
  }
}

export default { Client, DatabaseError };
