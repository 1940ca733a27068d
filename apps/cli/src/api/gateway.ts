import {
  AuditCheckpointsPage,
  AuditEventsPage,
  CachePage,
  ENDPOINTS,
  ErrorBody,
  FeedEvent,
  JobAtMoment,
  LogFollowChunk,
  LogFollowEnd,
  MomentView,
  ParkedPageView,
  ParkedSettled,
  PlanAnswer,
  RecipePage,
  RecipeView,
  RemoveCachesAnswer,
  RepositoryList,
  RunAnswer,
  RunPage,
  RunView,
  type CancelRunRequest,
  type CreateRunRequest,
  type DebugInput,
  type DebugRequest,
  type Endpoint,
  type ParkedAction,
  type RemoveCachesRequest,
  type RerunRequest,
  type SettleParkedRequest,
} from '@delta-ci/contracts';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { errorCode, errorMessage } from '../error-code.ts';
import { EXIT, Problem } from '../problem.ts';
import { safeText } from '../screen/safe-text.ts';
import type { Surroundings } from '../surroundings.ts';
import { accessFor, type Access, type GatewayOptions } from './access.ts';
import { serverSentEvents } from './server-sent-events.ts';

export type { GatewayOptions } from './access.ts';

/** Any answer but a stream is there within this time, or the gateway is not well. */
const ANSWER_MS = 30_000;
/** Between a stream that was cut and the next try: a gateway that restarts is not overrun. */
const COME_BACK_AFTER_MS = 250;
/** Whoever followed something waits so long for a gateway that went away. */
const COME_BACK_FOR_MS = 60_000;

/** The gateway that the options and the surroundings name. Nothing is asked yet. */
export async function gatewayFor(surroundings: Surroundings, options: GatewayOptions): Promise<Gateway> {
  return new Gateway(await accessFor(surroundings, options), surroundings.interrupted);
}

type Query = Readonly<Record<string, string | number | undefined>>;

const NOTHING: AsyncIterable<Uint8Array> = Readable.from([]);

/** Which log, and what of it: all, lines such as `100-200`, or so many before the end. */
export interface LogPart {
  readonly attempt?: number | undefined;
  readonly lines?: string | undefined;
  readonly tail?: number | undefined;
}

export interface LogAnswer {
  /** The number of the line that the bytes begin with. */
  readonly firstLine: number;
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

interface Schema<T> {
  parse: (value: unknown) => T;
}

/** The public API, as far as `delta` uses it. Every answer is checked against its schema. */
export class Gateway {
  readonly #access: Access;
  readonly #interrupted: AbortSignal;

  constructor(access: Access, interrupted: AbortSignal) {
    this.#access = access;
    this.#interrupted = interrupted;
  }

  async repositories(): Promise<RepositoryList> {
    return this.#json(ENDPOINTS.listRepositories, {}, RepositoryList);
  }

  async createRun(body: CreateRunRequest): Promise<RunAnswer> {
    return this.#json(ENDPOINTS.createRun, {}, RunAnswer, { body });
  }

  async listRuns(query: Query): Promise<RunPage> {
    return this.#json(ENDPOINTS.listRuns, {}, RunPage, { query });
  }

  async run(runId: string): Promise<RunView> {
    return this.#json(ENDPOINTS.showRun, { runId }, RunView);
  }

  async plan(runId: string): Promise<PlanAnswer> {
    return this.#json(ENDPOINTS.showPlan, { runId }, PlanAnswer);
  }

  async cancel(runId: string, body: CancelRunRequest): Promise<RunAnswer> {
    return this.#json(ENDPOINTS.cancelRun, { runId }, RunAnswer, { body });
  }

  async rerun(runId: string, body: RerunRequest): Promise<RunAnswer> {
    return this.#json(ENDPOINTS.rerun, { runId }, RunAnswer, { body });
  }

  async debug(runId: string, jobKey: string, body: DebugRequest): Promise<RunAnswer> {
    return this.#json(ENDPOINTS.debug, { runId, jobKey }, RunAnswer, { body });
  }

  /** Passes on what is typed into the shell of a run. */
  async typeInto(runId: string, body: DebugInput): Promise<void> {
    await this.#ask(ENDPOINTS.typeIntoDebug, { runId }, { body });
  }

  /** The bytes of an artifact, from the gateway or from where it says that the store gives them, which is shown no token. */
  async artifact(runId: string, jobKey: string, digest: string): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#ask(ENDPOINTS.downloadArtifact, { runId, jobKey, digest }, { stream: true });
    const address = response.headers.get('location');
    if (response.status !== 302 || address === null) return response.body ?? NOTHING;
    const direct = await fetch(address, { signal: this.#interrupted, redirect: 'error' }).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    if (!direct.ok) {
      throw new Problem('store_refused', `the artifact store answered ${direct.status}`, { exitCode: EXIT.notJudged });
    }
    return direct.body ?? NOTHING;
  }

  async at(moment: string, query: Query): Promise<MomentView> {
    return this.#json(ENDPOINTS.showMoment, { moment }, MomentView, { query });
  }

  async jobAt(moment: string, runId: string, jobKey: string): Promise<JobAtMoment> {
    return this.#json(ENDPOINTS.showJobAtMoment, { moment, runId, jobKey }, JobAtMoment);
  }

  async listRecipes(query: Query): Promise<RecipePage> {
    return this.#json(ENDPOINTS.listRecipes, {}, RecipePage, { query });
  }

  async recipe(recipeId: string): Promise<RecipeView> {
    return this.#json(ENDPOINTS.showRecipe, { recipeId }, RecipeView);
  }

  async listCaches(query: Query): Promise<CachePage> {
    return this.#json(ENDPOINTS.listCaches, {}, CachePage, { query });
  }

  async removeCaches(body: RemoveCachesRequest): Promise<RemoveCachesAnswer> {
    return this.#json(ENDPOINTS.removeCaches, {}, RemoveCachesAnswer, { body });
  }

  async listParked(query: Query): Promise<ParkedPageView> {
    return this.#json(ENDPOINTS.listParked, {}, ParkedPageView, { query });
  }

  async settleParked(action: ParkedAction, sequence: number, body: SettleParkedRequest): Promise<ParkedSettled> {
    const endpoint = action === 'retry' ? ENDPOINTS.retryParked : ENDPOINTS.dropParked;
    return this.#json(endpoint, { sequence: String(sequence) }, ParkedSettled, { body });
  }

  async auditEvents(query: Query): Promise<AuditEventsPage> {
    return this.#json(ENDPOINTS.listAuditEvents, {}, AuditEventsPage, { query });
  }

  async auditCheckpoints(query: Query): Promise<AuditCheckpointsPage> {
    return this.#json(ENDPOINTS.listAuditCheckpoints, {}, AuditCheckpointsPage, { query });
  }

  /** The log of an attempt, or some of its lines, as it is now. */
  async log(runId: string, jobKey: string, part: LogPart): Promise<LogAnswer> {
    const response = await this.#ask(ENDPOINTS.showLog, { runId, jobKey }, { query: { ...part, follow: '0' } });
    // Lines come with their numbers; without them it is all of the log, or there are none.
    const firstLine = Number(/^\d+/u.exec(response.headers.get('x-delta-lines') ?? '')?.[0] ?? 1);
    return { firstLine, bytes: response.body ?? [] };
  }

  /** The log as it grows, until the attempt ends. A cut connection is taken up where it was. */
  async *followLog(
    runId: string,
    jobKey: string,
    { attempt, tail, offset = 0 }: Pick<LogPart, 'attempt' | 'tail'> & { readonly offset?: number },
  ): AsyncGenerator<LogFollowChunk | LogFollowEnd> {
    let begin: Query = tail === undefined ? { offset } : { tail };
    for (let wasOpen = false; !this.#interrupted.aborted; wasOpen = true) {
      const query = { attempt, ...begin, follow: '1' };
      for await (const { event, data } of this.#events(ENDPOINTS.showLog, { runId, jobKey }, query, wasOpen)) {
        if (event === 'end') {
          yield LogFollowEnd.parse(JSON.parse(data));
          return;
        }
        const chunk = LogFollowChunk.parse(JSON.parse(data));
        begin = { offset: chunk.nextOffset };
        yield chunk;
      }
    }
  }

  /** Says each time when something happened to a run; the caller reads the run again. */
  async *changesOf(runId: string, afterPosition: number): AsyncGenerator<number> {
    for await (const { position } of this.#eventsOf(runId, afterPosition)) yield position;
  }

  /** What happens to a run, from its first event on. */
  async *eventsOf(runId: string): AsyncGenerator<FeedEvent> {
    for await (const { data } of this.#eventsOf(runId, 0)) yield FeedEvent.parse(JSON.parse(data));
  }

  async *#eventsOf(runId: string, afterPosition: number): AsyncGenerator<{ position: number; data: string }> {
    let position = afterPosition;
    for (let wasOpen = false; !this.#interrupted.aborted; wasOpen = true) {
      for await (const { id, data } of this.#events(ENDPOINTS.followRun, { runId }, { from: position }, wasOpen)) {
        position = Number(id ?? position);
        yield { position, data };
      }
    }
  }

  /** @param wasOpen the stream was there before: a gateway that restarts is waited for */
  async *#events(endpoint: Endpoint, params: Record<string, string>, query: Query, wasOpen: boolean) {
    const givesUpAt = performance.now() + (wasOpen ? COME_BACK_FOR_MS : 0);
    const response = await this.#open(endpoint, params, query, givesUpAt);
    if (response.body !== null) yield* serverSentEvents(response.body);
    await pause(COME_BACK_AFTER_MS);
  }

  async #open(endpoint: Endpoint, params: Record<string, string>, query: Query, givesUpAt: number): Promise<Response> {
    try {
      return await this.#ask(endpoint, params, { query, stream: true });
    } catch (error) {
      const mayPass = error instanceof Problem && error.exitCode === EXIT.notJudged;
      if (!mayPass || performance.now() >= givesUpAt) throw error;
    }
    await pause(COME_BACK_AFTER_MS);
    return this.#open(endpoint, params, query, givesUpAt);
  }

  async #json<T>(
    endpoint: Endpoint,
    params: Record<string, string>,
    schema: Schema<T>,
    more: { query?: Query; body?: object } = {},
  ): Promise<T> {
    const response = await this.#ask(endpoint, params, more);
    try {
      return schema.parse(await response.json());
    } catch {
      throw new Problem('unexpected_answer', `${this.#access.url.origin} answered with something else than expected`, {
        exitCode: EXIT.notJudged,
        next: 'is that a Delta gateway, and of this version?',
      });
    }
  }

  async #ask(
    { method, path, answers }: Endpoint,
    params: Readonly<Record<string, string>>,
    { query = {}, body, stream = false }: { query?: Query; body?: object; stream?: boolean },
  ): Promise<Response> {
    const url = new URL(
      path.replaceAll(/:(\w+)/gu, (_all, name: string) => encodeURIComponent(params[name] ?? '')),
      this.#access.url,
    );
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers: Record<string, string> = { authorization: `Bearer ${this.#access.token}` };
    if (stream) headers['accept'] = 'text/event-stream';
    if (body !== undefined)
      Object.assign(headers, { 'content-type': 'application/json', 'idempotency-key': randomUUID() });
    const signal = stream ? this.#interrupted : AbortSignal.any([this.#interrupted, AbortSignal.timeout(ANSWER_MS)]);
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    // Where an answer may lead elsewhere, its reader decides what to ask there.
    const redirect = 302 in answers ? 'manual' : 'error';
    const response = await fetch(url, { method, headers, signal, redirect, ...sent }).catch((error: unknown) => {
      throw this.#unreachable(error);
    });
    if (!response.ok && !(redirect === 'manual' && response.status === 302)) throw await this.#refused(response);
    return response;
  }

  #unreachable(error: unknown): Problem {
    if (this.#interrupted.aborted) return new Problem('canceled', 'canceled', { exitCode: EXIT.canceled });
    const code = errorCode(error);
    const words = code === 'ECONNREFUSED' ? 'nothing listens there' : safeText(code ?? errorMessage(error));
    return new Problem('gateway_unreachable', `${this.#access.url.origin} cannot be reached: ${words}`, {
      exitCode: EXIT.notJudged,
      next: 'is it running? start one with `npm start`, or name another with --url',
    });
  }

  async #refused(response: Response): Promise<Problem> {
    const body = ErrorBody.safeParse(await response.json().catch(() => null));
    if (!body.success) {
      return new Problem('unexpected_answer', `${this.#access.url.origin} answered ${response.status}`, {
        exitCode: EXIT.notJudged,
        next: 'is that a Delta gateway?',
      });
    }
    const { code, message } = body.data.error;
    const known = response.status === 401 ? 'give a valid token with --token or DELTA_TOKEN' : null;
    return new Problem(code, safeText(message), {
      exitCode: response.status >= 500 ? EXIT.notJudged : EXIT.usage,
      next: response.status === 403 ? 'this needs a token with more rights' : known,
    });
  }
}
