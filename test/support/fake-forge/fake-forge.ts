import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answerByGit } from '../git-server/git-http-server.ts';
import { PushWebhook, type ToldPush, type Webhook } from './push-webhook.ts';
import { createdCheckRun, problemsOf, updatedCheckRun, type CheckRun } from './github-checks.ts';

export interface FakeForgeOptions {
  /** Bare repositories live below: `<directory>/<owner>/<name>.git`. */
  directory: string;
  /** The only token that is taken. */
  token: string;
  port?: number;
  /** What whoever pushes has to show as a password; without it anybody may. */
  pushPassword?: string;
}

/** A failure to answer with instead of doing what was asked; or what was asked is done, and answered too late. */
export type Sabotage = { status: number; retryAfterSeconds?: number } | { lateMs: number };

const PUSH = 'git-receive-pack';
/** All that git clients ask for, written as they write it: what `git http-backend` would read in another way is none of it. */
const GIT_REQUEST = /^\/([\w.-]+\/[\w.-]+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** One GitHub on loopback: repositories over real git, and the check runs somebody published. */
export class FakeForge {
  readonly url: string;
  /** Requests of the API so far, as `METHOD path`. */
  readonly calls: string[] = [];
  readonly #server: Server;
  readonly #options: FakeForgeOptions;
  readonly #checkRuns = new Map<number, { fullName: string; run: CheckRun }>();
  #sabotage: Sabotage[] = [];
  #sabotaged = 0;
  #nextId = 1;
  #webhook: PushWebhook | null = null;
  readonly #told = new Map<string, PromiseWithResolvers<ToldPush>>();

  private constructor(server: Server, options: FakeForgeOptions) {
    this.#server = server;
    this.#options = options;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // Whatever a stranger sends, it goes on for everybody else.
      this.#answer(request, response).catch(() => refuse(response, 500));
    });
  }

  static async start(options: FakeForgeOptions): Promise<FakeForge> {
    const server = createServer();
    server.listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeForge(server, options);
  }

  get apiUrl(): string {
    return `${this.url}/api/v3`;
  }

  cloneUrl(fullName: string): string {
    return `${this.url}/${fullName}.git`;
  }

  barePath(fullName: string): string {
    return join(this.#options.directory, `${fullName}.git`);
  }

  /** Check runs of a commit, in the order they were created. */
  checkRuns(fullName: string, sha: string): CheckRun[] {
    return [...this.#checkRuns.values()]
      .filter((entry) => entry.fullName === fullName && entry.run.head_sha === sha)
      .map(({ run }) => run);
  }

  /**
   * From now on pushes over HTTP are told there.
   * @param heard is told of each delivery, when it was answered
   */
  tellPushes(webhook: Webhook, heard: (push: ToldPush) => void = () => undefined): void {
    this.#webhook = new PushWebhook(webhook, (push) => {
      this.#tellingOf(push.fullName, push.commit.after).resolve(push);
      heard(push);
    });
  }

  /** What became of telling that this commit was pushed; waits for it. */
  async toldOf(fullName: string, commit: string): Promise<ToldPush> {
    return this.#tellingOf(fullName, commit).promise;
  }

  /** The next API requests fail like this, one each. */
  failNext(...failures: Sabotage[]): void {
    this.#sabotage.push(...failures);
  }

  /** Requests that failed, or were answered too late, because somebody wanted it. */
  get sabotaged(): number {
    return this.#sabotaged;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', this.url);
    if (url === null) return refuse(response, 400);
    // A page of the web whose name leads to this machine would read what is here otherwise.
    if (!isOfThisMachine(request.headers.host)) return refuse(response, 421);
    if (!url.pathname.startsWith('/api/v3/')) return this.#answerGit(url, request, response);
    const body = await readJson(request);
    const path = url.pathname.slice('/api/v3'.length);
    this.calls.push(`${request.method} ${path}`);
    const sabotage = this.#sabotage.shift();
    if (sabotage !== undefined) this.#sabotaged += 1;
    const { status, answer, headers } =
      sabotage !== undefined && 'status' in sabotage
        ? failure(sabotage)
        : this.#decide(request, path, url.searchParams, body);
    if (sabotage !== undefined && 'lateMs' in sabotage) await pause(sabotage.lateMs);
    response
      .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
      .end(JSON.stringify(answer));
  }

  async #answerGit(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { directory, pushPassword } = this.#options;
    const [, fullName, rest] = GIT_REQUEST.exec(url.pathname) ?? [];
    if (fullName === undefined || !existsSync(this.barePath(fullName))) return refuse(response, 404);
    const pushes = rest === PUSH || url.searchParams.getAll('service').includes(PUSH);
    if (pushes && pushPassword !== undefined && passwordOf(request) !== pushPassword) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end();
      return;
    }
    if (this.#webhook === null || rest !== PUSH) return answerByGit(directory, request, response);
    const repository = { fullName, directory: this.barePath(fullName), cloneUrl: this.cloneUrl(fullName) };
    await this.#webhook.around(repository, async () => {
      if (response.closed) return;
      answerByGit(directory, request, response);
      await once(response, 'close');
    });
  }

  #tellingOf(fullName: string, commit: string): PromiseWithResolvers<ToldPush> {
    const key = `${fullName}@${commit}`;
    const telling = this.#told.get(key) ?? Promise.withResolvers<ToldPush>();
    this.#told.set(key, telling);
    return telling;
  }

  #decide(request: IncomingMessage, path: string, query: URLSearchParams, body: unknown): Answer {
    const expected = this.#options.token;
    if (![`token ${expected}`, `Bearer ${expected}`].includes(request.headers.authorization ?? '')) {
      return { status: 401, answer: { message: 'Bad credentials' } };
    }
    const created = /^\/repos\/([^/]+\/[^/]+)\/check-runs$/.exec(path);
    if (request.method === 'POST' && created?.[1] !== undefined) return this.#create(created[1], body);
    const updated = /^\/repos\/([^/]+\/[^/]+)\/check-runs\/(\d+)$/.exec(path);
    if (request.method === 'PATCH' && updated?.[1] !== undefined)
      return this.#update(updated[1], Number(updated[2]), body);
    const listed = /^\/repos\/([^/]+\/[^/]+)\/commits\/([^/]+)\/check-runs$/.exec(path);
    if (request.method === 'GET' && listed?.[1] !== undefined) return this.#list(listed[1], listed[2] ?? '', query);
    return { status: 404, answer: { message: 'Not Found' } };
  }

  #create(fullName: string, body: unknown): Answer {
    const problems = problemsOf('checks/create', body);
    if (problems.length > 0) return invalid(problems);
    const run = createdCheckRun(this.#nextId++, body as Partial<CheckRun>);
    this.#checkRuns.set(run.id, { fullName, run });
    return { status: 201, answer: answerOf(run) };
  }

  #update(fullName: string, id: number, body: unknown): Answer {
    const known = this.#checkRuns.get(id);
    if (known?.fullName !== fullName) return { status: 404, answer: { message: 'Not Found' } };
    const problems = problemsOf('checks/update', body);
    if (problems.length > 0) return invalid(problems);
    known.run = updatedCheckRun(known.run, body as Partial<CheckRun>);
    return { status: 200, answer: answerOf(known.run) };
  }

  #list(fullName: string, sha: string, query: URLSearchParams): Answer {
    const perPage = Number(query.get('per_page') ?? '30');
    const from = (Number(query.get('page') ?? '1') - 1) * perPage;
    const all = this.checkRuns(fullName, sha);
    return {
      status: 200,
      answer: { total_count: all.length, check_runs: all.slice(from, from + perPage).map(answerOf) },
    };
  }
}

/** GitHub answers how many annotations there are, not which. */
const answerOf = ({ annotations, output, ...run }: CheckRun): object => ({
  ...run,
  output: { ...output, annotations_count: annotations.length },
});

interface Answer {
  status: number;
  answer: unknown;
  headers?: Record<string, string>;
}

function isOfThisMachine(host = ''): boolean {
  return ['127.0.0.1', 'localhost'].includes(URL.parse(`http://${host}`)?.hostname ?? '');
}

function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status).end();
}

function passwordOf({ headers }: IncomingMessage): string | undefined {
  const [, basic = ''] = /^Basic (.*)$/.exec(headers.authorization ?? '') ?? [];
  return Buffer.from(basic, 'base64').toString().split(':')[1];
}

const invalid = (errors: string[]): Answer => ({ status: 422, answer: { message: 'Invalid request', errors } });

function failure({ status, retryAfterSeconds }: Extract<Sabotage, { status: number }>): Answer {
  const headers: Record<string, string> =
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
  return { status, answer: { message: 'sabotaged' }, headers };
}

/** Nobody sends this forge more than a few check runs at once. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > BODY_BYTES_MAX) break;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return null;
  }
}
