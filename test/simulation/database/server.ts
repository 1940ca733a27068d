import type { Engine } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Random } from '../engine/random.ts';
import { Locks } from './locks.ts';
import { Committed, Transaction } from './rows.ts';
import { ServerSession, type Noticed, type SessionPorts } from './server-session.ts';
import type { Statement } from './statement.ts';

/** What may go wrong at the database; all zero in calm weather. Probabilities are per statement or commit. */
export interface DatabaseWeather {
  /** The connection breaks before a statement is carried out. */
  breakBefore: number;
  /** The connection breaks after a commit and before its reply: the client cannot know. */
  breakAfterCommit: number;
  /** Longest way to the server and back, in milliseconds. */
  latencyMaxMs: number;
}

/** What the database tells the world. */
export interface DatabaseNews {
  committed(transaction: Transaction): void;
  happened(
    what:
      | 'a commit was unknown, and the inbox knew'
      | 'two writers clashed over the head'
      | 'a connection broke before the commit'
      | 'a command was repeated and answered from memory',
  ): void;
}

/** The database's clock is its own: what it shows beyond the true time. */
const CLOCK_OFFSET_MS = 17_000;
const CRASH_NOTICED_MS = 50;

/** The log's database: committed rows, sessions, row locks, offices, and the notifications of the log. */
export class DatabaseServer {
  readonly committed = new Committed();
  readonly weather: DatabaseWeather = { breakBefore: 0, breakAfterCommit: 0, latencyMaxMs: 3 };
  readonly #engine: Engine;
  readonly #random: Random;
  readonly #statements: Readonly<Record<string, Statement>>;
  readonly #unnamed: readonly (readonly [string, Statement])[];
  readonly #sessions = new Set<ServerSession>();
  readonly #locks = new Locks<ServerSession>();
  readonly #offices = new Map<string, ServerSession>();
  /** Hosts that cannot reach the server, nor it them. */
  readonly #cutOff = new Set<Host>();
  readonly #news: DatabaseNews;
  /** Command ids of commits whose reply got lost. */
  readonly #unknown = new Set<string>();
  #up = true;

  constructor(
    engine: Engine,
    statements: Readonly<Record<string, Statement>>,
    unnamed: readonly (readonly [string, Statement])[],
    news: DatabaseNews,
  ) {
    this.#engine = engine;
    this.#random = engine.random('database');
    this.#statements = statements;
    this.#unnamed = unnamed;
    this.#news = news;
  }

  get nowMs(): number {
    return this.#engine.nowMs + CLOCK_OFFSET_MS;
  }

  get isUp(): boolean {
    return this.#up;
  }

  canReach(host: Host): boolean {
    return this.#up && !this.#cutOff.has(host);
  }

  latencyMs(): number {
    return this.#random.between(1, this.weather.latencyMaxMs);
  }

  /** Fault: everything uncommitted is lost and nobody gets in until `start`. */
  stop(): void {
    this.#up = false;
    for (const session of this.#sessions) session.end('the server shut down');
  }

  start(): void {
    this.#up = true;
  }

  /** Fault: nothing gets through between a host and the server. */
  cutOff(host: Host): void {
    this.#cutOff.add(host);
  }

  reconnect(host: Host): void {
    this.#cutOff.delete(host);
  }

  isCutOff(host: Host): boolean {
    return this.#cutOff.has(host);
  }

  /** Called at the server, when a client's wish to connect has arrived. */
  open(host: Host, role: 'writer' | 'reader'): ServerSession {
    const session = new ServerSession(`${host.name}/${this.#sessions.size}`, role, this.#portsOf(host));
    this.#sessions.add(session);
    host.onDeath(() =>
      this.#engine.after(CRASH_NOTICED_MS, null, 'connection reset', () => session.end('the client is gone')),
    );
    return session;
  }

  /** Who holds an office; null when it is free. */
  holderOf(office: string): ServerSession | null {
    return this.#offices.get(office) ?? null;
  }

  #portsOf(host: Host): SessionPorts {
    return {
      engine: this.#engine,
      locks: this.#locks,
      nowMs: () => this.nowMs,
      begin: () => new Transaction(this.committed),
      statementOf: (name, text) => this.#statementOf(name, text),
      commit: (transaction) => this.#commit(transaction),
      mayBreak: (when) => this.#random.chance(this.weather[when]),
      takeOffice: (session, office) => this.#takeOffice(session, office),
      ended: (session) => this.#forget(session),
      wake: (sessions) => this.#wake(sessions),
      isCutOff: () => this.#cutOff.has(host),
      noticed: (what) => this.#notice(what),
    };
  }

  #notice(what: Noticed): void {
    if (what.kind === 'reply of commit lost') {
      for (const id of what.transaction.changes.get('inbox')?.keys() ?? []) this.#unknown.add(id);
    } else if (what.kind === 'remembered') {
      if (what.ids.length > 0) this.#news.happened('a command was repeated and answered from memory');
      if (what.ids.some((id) => this.#unknown.has(id))) this.#news.happened('a commit was unknown, and the inbox knew');
    } else if (what.kind === 'wrong head') this.#news.happened('two writers clashed over the head');
    else this.#news.happened('a connection broke before the commit');
  }

  #statementOf(name: string | undefined, sql: string): Statement {
    const statement = name === undefined ? this.#unnamedOf(sql) : this.#statements[name];
    if (statement !== undefined) return statement;
    throw new Error(
      `the simulated database does not know the statement ${name ?? sql.slice(0, 80)}: write down what it does`,
    );
  }

  #unnamedOf(sql: string): Statement | undefined {
    const trimmed = sql.trimStart();
    return this.#unnamed.find(([beginning]) => trimmed.startsWith(beginning))?.[1];
  }

  #commit(transaction: Transaction): void {
    if (transaction.changes.size === 0 && transaction.head === null) return;
    transaction.apply();
    this.#news.committed(transaction);
    if (transaction.head === null) return;
    const { position } = transaction.head;
    for (const session of this.#sessions) session.notify(position);
  }

  #takeOffice(session: ServerSession, office: string): boolean {
    const holder = this.#offices.get(office);
    if (holder !== undefined && holder !== session) return false;
    this.#offices.set(office, session);
    return true;
  }

  #forget(session: ServerSession): void {
    this.#sessions.delete(session);
    for (const [office, holder] of this.#offices) if (holder === session) this.#offices.delete(office);
  }

  #wake(sessions: readonly ServerSession[]): void {
    for (const session of sessions) session.pump();
  }
}
