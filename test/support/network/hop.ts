import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Everything of Postgres's simple query message `COMMIT`: type, length, text, terminator. */
const COMMIT_MESSAGE = Buffer.from('Q\0\0\0\x0bCOMMIT\0');

/** One connection through the hop. */
interface Passage {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Nothing that the server says any more gets through. */
  deaf: boolean;
}

/**
 * A TCP hop in front of a server, which can be as bad as networks get: silent, late, cut, or so unlucky that a commit
 * arrives and its answer does not.
 */
export class Hop {
  readonly #server: Server;
  readonly #passages = new Set<Passage>();
  #target: { readonly host: string; readonly port: number } | null = null;
  #stalled = false;
  #delayMs = 0;
  #commitsToLose = 0;
  #lostAnswers = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (client) => this.#pass(client));
  }

  /** @param address where it listens */
  static async open(address = '127.0.0.1'): Promise<Hop> {
    const server = createServer();
    server.listen(0, address);
    await once(server, 'listening');
    return new Hop(server);
  }

  /** The same address, reached through this hop. */
  through(address: string): string {
    const url = new URL(address);
    this.#target = { host: url.hostname, port: Number(url.port) };
    const own = this.#server.address() as AddressInfo;
    url.hostname = own.address;
    url.port = String(own.port);
    return url.href;
  }

  /** Answers to commits that arrived and were lost. */
  get lostAnswers(): number {
    return this.#lostAnswers;
  }

  /** The next `COMMIT`s reach the server; the answer of each, and its connection, are lost. */
  loseCommitAnswers(count: number): void {
    this.#commitsToLose = count;
  }

  /** Bytes come so much later, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Nothing passes any more, and nobody is told: as if packets were lost. */
  stall(): void {
    this.#stalled = true;
    for (const { client, upstream } of this.#passages) for (const socket of [client, upstream]) socket.pause();
  }

  /** What was held up passes, and everything after it. */
  resume(): void {
    this.#stalled = false;
    for (const { client, upstream } of this.#passages) for (const socket of [client, upstream]) socket.resume();
  }

  /** Ends every connection. @returns how many there were */
  cut(): number {
    const open = this.#passages.size;
    for (const { client, upstream } of this.#passages) for (const socket of [client, upstream]) socket.destroy();
    return open;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(client: Socket): void {
    if (this.#target === null) return void client.destroy();
    const passage: Passage = { client, upstream: connect(this.#target), deaf: false };
    this.#passages.add(passage);
    this.#forward(client, passage.upstream, (chunk) => this.#watchCommit(passage, chunk));
    this.#forward(passage.upstream, client, () => {
      if (passage.deaf) client.destroy();
      return !passage.deaf;
    });
    client.on('close', () => this.#passages.delete(passage));
    if (this.#stalled) for (const socket of [client, passage.upstream]) socket.pause();
  }

  /** @param lets looks at every chunk and says whether it may pass */
  #forward(from: Socket, to: Socket, lets: (chunk: Buffer) => boolean): void {
    from.on('error', () => undefined);
    let before: Promise<void> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      if (!lets(chunk)) return;
      const late = this.#delayMs;
      before = before.then(async () => (late === 0 ? undefined : pause(late))).then(() => void to.write(chunk));
    });
    from.on('close', () => void before.then(() => to.end()));
  }

  #watchCommit(passage: Passage, chunk: Buffer): boolean {
    if (this.#commitsToLose > 0 && chunk.includes(COMMIT_MESSAGE)) {
      this.#commitsToLose -= 1;
      this.#lostAnswers += 1;
      passage.deaf = true;
    }
    return true;
  }
}
