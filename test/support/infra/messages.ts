import type { Socket } from 'node:net';

/** Where the servers' owner listens; set by Jest's global set-up and inherited by its workers. */
export const SOCKET_VARIABLE = 'DELTA_TEST_INFRA_SOCKET';

/** An answer is a few addresses; a line that grows beyond this is not one. */
const LINE_LENGTH_MAX = 1024 * 1024;

/** What can be done to a nats-server that belongs to one test file. */
export type NatsAction = 'start' | 'stop' | 'kill' | 'wipe-store' | 'remove';

/** A question of a test file to the owner of the servers. */
export type Question =
  | { readonly ask: 'create-database' }
  | { readonly ask: 'drop-database'; readonly name: string }
  | { readonly ask: 'create-nats'; readonly config: string }
  | { readonly ask: 'act-on-nats'; readonly id: string; readonly action: NatsAction }
  | { readonly ask: 'cut-nats-store'; readonly id: string; readonly bytes: number }
  | { readonly ask: 'find-bubblewrap' }
  | { readonly ask: 'find-container-engine' };

export interface DatabaseGiven {
  readonly name: string;
  readonly url: string;
  readonly adminUrl: string;
}

export interface NatsGiven {
  readonly id: string;
  readonly url: string;
  /** Process id of an embedded server; null in a container. */
  readonly pid: number | null;
}

/** An engine that runs containers as long as the tests do, or why there is none. */
export type EngineGiven =
  { readonly socket: string; readonly ours: boolean } | { readonly socket: null; readonly reason: string };

/** What each question is answered with. */
export interface Answers {
  readonly 'create-database': DatabaseGiven;
  readonly 'drop-database': null;
  readonly 'create-nats': NatsGiven;
  readonly 'act-on-nats': NatsGiven;
  readonly 'cut-nats-store': null;
  readonly 'find-bubblewrap': { readonly path: string | null; readonly reason: string };
  readonly 'find-container-engine': EngineGiven;
}

/** One line in each direction per connection, both JSON. */
export type Reply<Answer> = { readonly answer: Answer } | { readonly problem: string };

/** Resolves with the first line that arrives, without its end. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end !== -1) resolve(text.slice(0, end));
      else if (text.length > LINE_LENGTH_MAX) reject(new Error('an endless line'));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before a whole line arrived')));
  });
}
