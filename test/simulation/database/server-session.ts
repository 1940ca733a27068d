import type { Appointment } from '../engine/agenda.ts';
import type { Engine } from '../engine/engine.ts';
import type { Locks } from './locks.ts';
import type { Row, Transaction } from './rows.ts';
import { Blocked, BLOCKED, StatementError, type Statement } from './statement.ts';

/** A statement as it arrives. */
export interface Sent {
  readonly name: string | undefined;
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** What the server says to one statement. */
export type Reply =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly command: string }
  | { readonly kind: 'refused'; readonly error: StatementError };

export interface SessionPorts {
  readonly engine: Engine;
  readonly locks: Locks<ServerSession>;
  readonly nowMs: () => number;
  readonly begin: () => Transaction;
  readonly statementOf: (name: string | undefined, sql: string) => Statement;
  readonly commit: (transaction: Transaction) => void;
  readonly mayBreak: (when: 'breakBefore' | 'breakAfterCommit') => boolean;
  readonly takeOffice: (session: ServerSession, office: string) => boolean;
  readonly ended: (session: ServerSession) => void;
  readonly wake: (sessions: readonly ServerSession[]) => void;
  readonly isCutOff: () => boolean;
  readonly noticed: (what: Noticed) => void;
}

/** What a session sees happen that the world counts. */
export type Noticed =
  | { readonly kind: 'reply of commit lost'; readonly transaction: Transaction }
  | { readonly kind: 'remembered'; readonly ids: readonly string[] }
  | { readonly kind: 'wrong head' }
  | { readonly kind: 'broke in transaction' };

/** As the roles are set up: how long a session may hold a transaction and say nothing, or wait for a lock. */
const IDLE_IN_TRANSACTION_MS = { writer: 5_000, reader: 60_000 };
const LOCK_TIMEOUT_MS = 10_000;
const DONE = (command: string): Reply => ({ kind: 'rows', rows: [], command });

/** One connection as the server has it: statements in order, one transaction at a time. */
export class ServerSession {
  readonly name: string;
  readonly #role: 'writer' | 'reader';
  readonly #ports: SessionPorts;
  readonly #queue: Sent[] = [];
  #transaction: Transaction | null = null;
  #idleMaxMs: number | null = null;
  #idleSince: Appointment | null = null;
  #lockWait: Appointment | null = null;
  #listening = false;
  #open = true;
  #reply: (replies: Reply[]) => void = () => undefined;
  #bye: (why: string) => void = () => undefined;
  #ring: (position: number) => void = () => undefined;

  constructor(name: string, role: 'writer' | 'reader', ports: SessionPorts) {
    this.name = name;
    this.#role = role;
    this.#ports = ports;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Who hears replies, the end of the connection, and notifications. */
  connect(client: {
    reply: (replies: Reply[]) => void;
    bye: (why: string) => void;
    ring: (position: number) => void;
  }): void {
    this.#reply = client.reply;
    this.#bye = client.bye;
    this.#ring = client.ring;
  }

  /** Statements arrive together, in order. */
  arrive(statements: readonly Sent[]): void {
    if (!this.#open) return;
    this.#callOffIdle();
    this.#queue.push(...statements);
    this.pump();
  }

  notify(position: number): void {
    if (this.#open && this.#listening) this.#ring(position);
  }

  /** Rolls back and hangs up. */
  end(why: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#queue.length = 0;
    this.#callOffIdle();
    this.#endTransaction();
    this.#ports.ended(this);
    this.#bye(why);
  }

  /** Carries out what can be carried out now. */
  pump(): void {
    const replies: Reply[] = [];
    while (this.#open && this.#queue.length > 0) {
      const [sent] = this.#queue;
      if (sent === undefined) break;
      const reply = this.#carryOut(sent);
      if (reply === 'waits') break;
      if (reply === 'broken') {
        this.#send(replies);
        return this.end('the connection broke');
      }
      this.#queue.shift();
      replies.push(reply);
    }
    this.#send(replies);
    if (this.#open && this.#queue.length === 0) this.#startIdle();
  }

  #send(replies: Reply[]): void {
    if (replies.length > 0) this.#reply(replies);
  }

  #carryOut(sent: Sent): Reply | 'waits' | 'broken' {
    if (this.#ports.mayBreak('breakBefore')) return this.#breakNow();
    const { word, takesOffice } = kindOf(sent.sql);
    if (word === 'BEGIN') return this.#beginTransaction();
    if (word === 'COMMIT') return this.#commit();
    if (word === 'ROLLBACK') return this.#rollback();
    if (this.#transaction?.failed === true) return refused(new StatementError('25P02', 'the transaction has failed'));
    if (takesOffice) return this.#takeOffice(sent);
    if (word === 'LISTEN') this.#listening = true;
    if (sent.sql.startsWith('SET idle_session_timeout')) this.#idleMaxMs = Number(sent.sql.split('=')[1]);
    return this.#query(sent);
  }

  #breakNow(): 'broken' {
    if (this.#transaction !== null) this.#ports.noticed({ kind: 'broke in transaction' });
    return 'broken';
  }

  #query(sent: Sent): Reply | 'waits' {
    const alone = this.#transaction === null;
    const transaction = this.#transaction ?? this.#ports.begin();
    const context = { transaction, nowMs: this.#ports.nowMs(), lock: (key: string) => this.#lock(key) };
    try {
      const rows = this.#ports.statementOf(sent.name, sent.sql)(context, sent.values);
      this.#callOffLockWait();
      if (alone) this.#finish(transaction);
      if (sent.name === 'find-remembered') {
        this.#ports.noticed({ kind: 'remembered', ids: rows.map(({ id }) => String(id)) });
      }
      return { kind: 'rows', rows, command: 'SELECT' };
    } catch (error) {
      if (error instanceof Blocked) return this.#waitForLock();
      if (!(error instanceof StatementError)) {
        this.#ports.engine.fail(error instanceof Error ? error : new Error(String(error)));
        return 'waits';
      }
      return this.#refuse(error);
    }
  }

  #refuse(error: StatementError): Reply {
    if (error.code === '40001') this.#ports.noticed({ kind: 'wrong head' });
    this.#callOffLockWait();
    if (this.#transaction === null) this.#release();
    else this.#transaction.failed = true;
    return refused(error);
  }

  #lock(key: string): void {
    const taken = this.#ports.locks.take(this, key);
    if (taken === 'deadlock') throw new StatementError('40P01', 'deadlock detected');
    if (taken === 'wait') throw BLOCKED;
  }

  #waitForLock(): 'waits' {
    this.#lockWait ??= this.#ports.engine.after(LOCK_TIMEOUT_MS, null, 'lock timeout', () => {
      this.#lockWait = null;
      if (!this.#open) return;
      this.#queue.shift();
      this.#send([this.#refuse(new StatementError('55P03', 'canceling statement due to lock timeout'))]);
      this.pump();
    });
    return 'waits';
  }

  #beginTransaction(): Reply {
    this.#transaction = this.#ports.begin();
    return DONE('BEGIN');
  }

  #commit(): Reply | 'broken' {
    const transaction = this.#transaction;
    if (transaction === null || transaction.failed) return this.#rollback();
    this.#transaction = null;
    this.#finish(transaction);
    if (!this.#ports.mayBreak('breakAfterCommit')) return DONE('COMMIT');
    this.#ports.noticed({ kind: 'reply of commit lost', transaction });
    return 'broken';
  }

  #rollback(): Reply {
    this.#endTransaction();
    return DONE('ROLLBACK');
  }

  #finish(transaction: Transaction): void {
    this.#ports.commit(transaction);
    this.#release();
  }

  #endTransaction(): void {
    this.#callOffLockWait();
    this.#transaction = null;
    this.#release();
  }

  #release(): void {
    const waiting = this.#ports.locks.release(this).filter((session) => session !== this);
    // A step of its own: those who waited go on after this one has said what it had to say.
    if (waiting.length > 0) this.#ports.engine.after(0, null, 'locks free', () => this.#ports.wake(waiting));
  }

  #takeOffice(sent: Sent): Reply {
    const taken = this.#ports.takeOffice(this, String(sent.values[0]));
    return { kind: 'rows', rows: [{ taken }], command: 'SELECT' };
  }

  /** A client that says nothing for too long is hung up on: it froze, or the line is cut. */
  #startIdle(): void {
    const limitMs = this.#transaction === null ? this.#idleMaxMs : IDLE_IN_TRANSACTION_MS[this.#role];
    this.#callOffIdle();
    if (limitMs === null) return;
    this.#idleSince = this.#ports.engine.after(limitMs, null, 'idle session', () => this.end('silent for too long'));
  }

  #callOffIdle(): void {
    if (this.#idleSince !== null) this.#idleSince.run = null;
    this.#idleSince = null;
  }

  #callOffLockWait(): void {
    if (this.#lockWait !== null) this.#lockWait.run = null;
    this.#lockWait = null;
  }
}

interface StatementKind {
  readonly word: string;
  readonly takesOffice: boolean;
}

/** There are some dozen texts, each asked thousands of times. */
const kinds = new Map<string, StatementKind>();

function kindOf(sql: string): StatementKind {
  const known = kinds.get(sql);
  if (known !== undefined) return known;
  const [word = ''] = sql.trimStart().split(/[\s;]/, 1);
  const kind = { word, takesOffice: sql.includes('pg_try_advisory_lock') };
  kinds.set(sql, kind);
  return kind;
}

const refused = (error: StatementError): Reply => ({ kind: 'refused', error });
