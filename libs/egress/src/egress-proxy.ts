import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { egressReasonInWords, type EgressDecision, type EgressReason } from '@delta-ci/contracts';
import { decideGreeting, decideTarget, HTTP_PORT, TLS_PORT, type EgressPolicy, type Verdict } from './decide-egress.ts';
import { EgressRecord, type Line, type Place } from './egress-record.ts';
import { authorityOf, readTarget, type Target } from './host.ts';
import { askOn, readPlainRequest, type Way } from './plain-request.ts';
import { authorizationFor, reach, reachThrough, reachUpstream, type Reached } from './reach.ts';
import type { EgressLimits, ResolveName, UpstreamProxy } from './settings.ts';
import { firstWords, passOn, tieTogether } from './tunnel.ts';

export type EgressProxyOptions = {
  readonly policy: EgressPolicy;
  readonly limits: EgressLimits;
  readonly resolve: ResolveName;
  /** Where set, all goes through it, and addresses are for it to judge. */
  readonly upstream: UpstreamProxy | null;
  /** Told of each decision that is not like an earlier one, a bounded number of times. */
  readonly onDecision: (decision: EgressDecision) => void;
};

/** The head of a request: lines and headers together. */
const HEAD_BYTES_MAX = 16 * 1024;

const NOWHERE: Place = { host: null, port: null };
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** One connection of the job. */
type Client = {
  readonly socket: Socket;
  /** Where a tunnel it asked for leads to; null before. */
  tunnel: Target | null;
  readonly ended: AbortSignal;
  /** Runs out when it takes too long to say what it wants. */
  patience: NodeJS.Timeout | null;
};

type Outcome = Extract<Reached, { kind: 'refused' | 'failed' }>;

const placeOf = ({ host, port }: Target): Place => ({ host: host.text, port });

/**
 * The one way out of a job that may reach something: a proxy for HTTP that lets out what the policy allows, one job's alone. It
 * listens nowhere: whoever contains the job hands it the job's connections.
 *
 * What a job sends is hostile. Every connection is bounded in what it may say and in how long that may take; all together in their
 * number and their bytes. Whatever is decided is counted, place by place.
 */
export class EgressProxy {
  private readonly options: EgressProxyOptions;
  private readonly http: Server;
  private readonly record: EgressRecord;
  private readonly clients = new Map<Duplex, Client>();
  private closed = false;

  constructor(options: EgressProxyOptions) {
    this.options = options;
    this.record = new EgressRecord(options.onDecision);
    this.http = createServer({ maxHeaderSize: HEAD_BYTES_MAX, requestTimeout: 0, headersTimeout: 0 });
    // Every answer ends its connection. Without this, requests sent after one another would all be under way at once.
    this.http.maxRequestsPerSocket = 1;
    this.http.on('request', (asked, answer) => void this.answer(asked, answer));
    this.http.on('connect', (asked, socket, head) => void this.open(asked, socket, head));
    this.http.on('clientError', (_, socket) => this.misunderstood(socket));
  }

  /** Takes a connection of the job's, and ends it in the end. */
  accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const { connections } = this.options.limits;
    if (this.closed || this.isSpent()) return void socket.destroy();
    if (this.clients.size >= connections) {
      this.record.refused(NOWHERE, 'too-many-connections');
      return void socket.destroy();
    }
    const ended = new AbortController();
    const client: Client = { socket, tunnel: null, ended: ended.signal, patience: null };
    this.clients.set(socket, client);
    socket.on('close', () => {
      this.clients.delete(socket);
      this.wait(client, null);
      ended.abort();
    });
    socket.setNoDelay(true);
    socket.allowHalfOpen = true;
    this.listenTo(client);
  }

  /** What was decided so far. */
  decisions(): EgressDecision[] {
    return this.record.summary();
  }

  /** Ends every connection, and takes no more. */
  close(): void {
    this.closed = true;
    for (const { socket } of this.clients.values()) socket.destroy();
  }

  private listenTo(client: Client): void {
    this.wait(client, () => {
      this.record.refused(client.tunnel === null ? NOWHERE : placeOf(client.tunnel), 'too-slow');
      client.socket.destroy();
    });
    this.http.emit('connection', client.socket);
  }

  /** From now on, what happens when the client takes too long; null: it has all the time. */
  private wait(client: Client, thenDo: (() => void) | null): void {
    clearTimeout(client.patience ?? undefined);
    client.patience = thenDo === null ? null : setTimeout(thenDo, this.options.limits.greetingMs);
  }

  private misunderstood(socket: Duplex): void {
    const client = this.clients.get(socket);
    // A connection that just breaks off asked for nothing.
    if (client !== undefined && socket.writable) {
      this.record.refused(client.tunnel === null ? NOWHERE : placeOf(client.tunnel), 'not-http');
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    }
    socket.destroy();
  }

  private async open(asked: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const client = this.clients.get(socket);
    if (client === undefined) return;
    this.wait(client, null);
    const target = client.tunnel === null ? readTarget(asked.url ?? '', null) : null;
    if (target === null) return this.decline(client, this.refuse(NOWHERE, 'not-http'));
    const verdict = decideTarget(this.options.policy, target);
    if (verdict !== null) return this.decline(client, this.refuse(placeOf(target), verdict));
    if (target.port === HTTP_PORT) return this.openPlain(client, target, head);
    const reached = await this.reach(target, client.ended);
    if (reached.kind !== 'connected') return this.decline(client, this.tell(placeOf(target), reached));
    await this.lead(client, target, head, reached);
  }

  /** Through a tunnel to where plain requests go, these are read like any other. */
  private openPlain(client: Client, target: Target, head: Buffer): void {
    client.tunnel = target;
    client.socket.write(ESTABLISHED);
    if (head.length > 0) client.socket.unshift(head);
    this.listenTo(client);
  }

  private async lead(
    client: Client,
    target: Target,
    head: Buffer,
    { socket: far, head: farHead }: Extract<Reached, { kind: 'connected' }>,
  ): Promise<void> {
    const { socket: near } = client;
    tieTogether(near, far, this.options.limits.idleMs);
    if (near.destroyed) return void far.destroy();
    near.write(ESTABLISHED);
    const isTls = target.port === TLS_PORT;
    // Elsewhere it may be the server that speaks first.
    let line = isTls ? null : this.letOut(target, near, far, farHead);
    if (isTls) this.wait(client, () => this.cut(client, target, 'too-slow'));
    const { bytes, greeting } = await firstWords(near, head);
    this.wait(client, null);
    const verdict = decideGreeting(target, greeting);
    if (verdict !== null) {
      if (near.destroyed && bytes.length === 0) return;
      return this.cut(client, target, verdict);
    }
    line ??= this.letOut(target, near, far, farHead);
    const counted = line;
    this.count(counted, bytes.length, 0);
    far.write(bytes);
    passOn(near, far, (sent) => this.count(counted, sent, 0));
  }

  private letOut(target: Target, near: Socket, far: Socket, farHead: Buffer): Line {
    const line = this.record.allowed(placeOf(target));
    if (farHead.length > 0) far.unshift(farHead);
    passOn(far, near, (received) => this.count(line, 0, received));
    return line;
  }

  private async answer(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const client = this.clients.get(asked.socket);
    if (client === undefined) return;
    this.wait(client, null);
    client.socket.setTimeout(this.options.limits.idleMs, () => client.socket.destroy());
    const read = readPlainRequest(asked, client.tunnel);
    if (read === null) return this.declineRequest(answer, this.refuse(NOWHERE, 'not-http'));
    const { target, path } = read;
    const isPlainToTls: Verdict = target.port === TLS_PORT ? 'not-tls' : null;
    const verdict = decideTarget(this.options.policy, target) ?? read.verdict ?? isPlainToTls;
    if (verdict !== null) return this.declineRequest(answer, this.refuse(placeOf(target), verdict));
    const { upstream, limits } = this.options;
    const reached =
      upstream === null
        ? await this.reach(target, client.ended)
        : await reachUpstream(upstream, limits.connectMs, client.ended);
    if (reached.kind !== 'connected') return this.declineRequest(answer, this.tell(placeOf(target), reached));
    await this.askFor(client, asked, answer, target, path, reached.socket);
  }

  private async askFor(
    client: Client,
    asked: IncomingMessage,
    answer: ServerResponse,
    target: Target,
    path: string,
    far: Socket,
  ): Promise<void> {
    const { upstream, limits } = this.options;
    const line = this.record.allowed(placeOf(target));
    const host = target.port === HTTP_PORT ? authorityOf(target).replace(/:80$/, '') : authorityOf(target);
    const way: Way =
      upstream === null
        ? { socket: far, path, host, headers: {} }
        : { socket: far, path: `http://${host}${path}`, host, headers: authorizationFor(upstream) };
    const end = (): void => void far.destroy();
    let counted = 0;
    client.ended.addEventListener('abort', end, { once: true });
    far.setTimeout(limits.idleMs, end);
    far.on('error', end);
    far.on('data', (bytes: Buffer) => this.count(line, 0, bytes.length));
    asked.on('data', (bytes: Buffer) => {
      counted += bytes.length;
      this.count(line, bytes.length, 0);
    });
    await askOn(asked, answer, way).catch(() => client.socket.destroy());
    // Beside the body, which counts while it goes: the head of the request and what frames the body.
    this.count(line, Math.max(0, far.bytesWritten - counted), 0);
    end();
  }

  private async reach(target: Target, ended: AbortSignal): Promise<Reached> {
    const { policy, resolve, upstream, limits } = this.options;
    return upstream === null
      ? reach({ policy, resolve, connectMs: limits.connectMs }, target, ended)
      : reachThrough(upstream, target, limits.connectMs, ended);
  }

  private isSpent(): boolean {
    return this.record.movedBytes > this.options.limits.bytes;
  }

  private count(line: Line, sent: number, received: number): void {
    const wasSpent = this.isSpent();
    this.record.count(line, sent, received);
    if (wasSpent || !this.isSpent()) return;
    this.record.refused(NOWHERE, 'too-many-bytes');
    for (const { socket } of this.clients.values()) socket.destroy();
  }

  private refuse(place: Place, reason: EgressReason): Outcome {
    return this.tell(place, { kind: 'refused', reason });
  }

  private tell(place: Place, outcome: Outcome): Outcome {
    if (outcome.kind === 'refused') this.record.refused(place, outcome.reason, outcome.address);
    else this.record.failed(place, outcome.reason);
    return outcome;
  }

  /** Ends a tunnel that stood already. */
  private cut(client: Client, target: Target, reason: EgressReason): void {
    this.record.refused(placeOf(target), reason);
    client.socket.destroy();
  }

  private decline({ socket }: Client, outcome: Outcome): void {
    const { status, text } = wordsFor(outcome);
    const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}`;
    socket.end(`${head}\r\nConnection: close\r\n\r\n${text}`);
    socket.destroySoon();
  }

  private declineRequest(answer: ServerResponse, outcome: Outcome): void {
    const { status, text } = wordsFor(outcome);
    answer.writeHead(Number(status.slice(0, 3)), { 'Content-Type': 'text/plain', Connection: 'close' });
    answer.end(text);
  }
}

const wordsFor = ({ kind, reason }: Outcome): { readonly status: string; readonly text: string } => ({
  status: kind === 'refused' ? '403 Forbidden' : '502 Bad Gateway',
  text: `egress ${kind}: ${egressReasonInWords(reason)}\n`,
});
